package main

import (
	"fmt"
	"io"
	"sync"
)

const (
	// longBuild is the number of packages from which a build is one of minutes,
	// and worth a warning.
	longBuild = 500

	// step is how many percent pass between two lines, if lines are not
	// rewritten.
	step = 5

	// downloadStep is the same for modules being downloaded, in modules.
	downloadStep = 25
)

// progress counts packages and prints how far the compilation is. On a terminal
// it rewrites one line; elsewhere it prints a line now and then.
type progress struct {
	mutex     sync.Mutex
	out       io.Writer
	rewrite   bool
	open      bool // the current line is to be rewritten
	modules   int
	compiled  map[string]bool
	wanted    map[string]bool // nil until known
	printed   int             // percent of the last line
	announced bool
}

func newProgress(out io.Writer, rewrite bool) *progress {
	return &progress{out: out, rewrite: rewrite, compiled: map[string]bool{}, printed: -step}
}

// downloading counts a module that is being downloaded.
func (p *progress) downloading() {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.modules++
	if p.rewrite || p.modules%downloadStep == 1 {
		p.line("kubelab: downloading Go modules (%d)", p.modules)
	}
}

// compiling counts a package whose compilation begins.
func (p *progress) compiling(name string) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.compiled[name] = true
	p.show()
}

// expect tells what has to be compiled besides what was counted already.
func (p *progress) expect(packages []string) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if len(packages) == 0 {
		return
	}
	p.wanted = map[string]bool{}
	for _, name := range packages {
		p.wanted[name] = true
	}
	for name := range p.compiled {
		p.wanted[name] = true
	}
	p.show()
}

// show prints the percentage. The list of what is wanted was made while the
// build ran, so a package may be missing in it: there is never less to do than
// what was done.
func (p *progress) show() {
	if len(p.wanted) < longBuild {
		return // unknown yet, or a matter of seconds
	}
	if !p.announced {
		p.announced = true
		p.end()
		fmt.Fprintf(p.out, "kubelab: compiling Kubernetes takes 5 to 15 minutes on two cores; this happens once\n")
	}
	done, all := len(p.compiled), max(len(p.wanted), len(p.compiled))
	percent := 100 * done / all
	if !p.rewrite && percent < p.printed+step && (percent < 100 || p.printed == 100) {
		return
	}
	p.printed = percent - percent%step
	p.line("kubelab: compiling Kubernetes %d %% (%d of %d packages)", percent, done, all)
	if done == all {
		p.line("kubelab: linking")
	}
}

// message passes on what Go says, on a line of its own.
func (p *progress) message(w io.Writer, text string) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.end()
	fmt.Fprintln(w, text)
}

// idle tells that nothing had to be compiled.
func (p *progress) idle() bool {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	return len(p.compiled) == 0
}

// finish says what came out.
func (p *progress) finish(format string, args ...any) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.end()
	fmt.Fprintf(p.out, format+"\n", args...)
}

// line prints a line, over the last one if that may be.
func (p *progress) line(format string, args ...any) {
	if !p.rewrite {
		fmt.Fprintf(p.out, format+"\n", args...)
		return
	}
	fmt.Fprintf(p.out, "\r\x1b[K"+format, args...)
	p.open = true
}

// end ends a line that was to be rewritten.
func (p *progress) end() {
	if p.open {
		fmt.Fprintln(p.out)
		p.open = false
	}
}
