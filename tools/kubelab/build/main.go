// Command build compiles kubelab. It is `go build` with the right flags, and
// with progress: the first time, most of Kubernetes has to be compiled, and
// nobody should have to wonder whether it still works.
//
//	go -C tools/kubelab run ./build -o "$PWD/bin/kubelab"
//
// Later builds come from Go's build cache and take about a second.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

func main() {
	output := flag.String("o", "kubelab", "the file to write")
	flag.Parse()
	if err := build(*output); err != nil {
		fmt.Fprintf(os.Stderr, "kubelab: %v\n", err)
		os.Exit(1)
	}
}

func build(output string) error {
	if runtime.GOOS != "linux" {
		return errors.New("it runs on Linux only: it relies on children that die with their parent")
	}
	version, err := goCommand("list", "-m", "-f", "{{.Version}}", "k8s.io/kubernetes").Output()
	if err != nil {
		return fmt.Errorf("reading the version of Kubernetes from go.mod: %w", err)
	}
	flags := []string{
		"-trimpath",
		"-buildvcs=false", // neither git nor a repository is needed
		"-ldflags=-s -w -X k8s.io/component-base/version.gitVersion=" + strings.TrimSpace(string(version)),
	}

	p := newProgress(os.Stdout, isTerminal(os.Stdout))
	since := time.Now()
	_, missing := os.Stat(output)
	if err := buildImages(); err != nil {
		return err
	}
	if err := compile(flags, output, p); err != nil {
		return err
	}
	if missing == nil && p.idle() {
		p.finish("kubelab: %s is up to date", output)
	} else {
		p.finish("kubelab: built %s in %v", output, time.Since(since).Round(time.Second))
	}
	return nil
}

// buildImages compiles the programs of the images that real nodes are given, to
// where kubelab's own compilation picks them up.
func buildImages() error {
	command := goCommand("build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", "internal/image/shipped/", "./images/...")
	command.Stderr = os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("go build of the images: %w", err)
	}
	return nil
}

// compile runs `go build -v`, which prints each package when its compilation
// begins. What else it prints is passed on.
func compile(flags []string, output string, p *progress) error {
	command := goCommand(append([]string{"build", "-v", "-o", output}, append(flags, ".")...)...)
	messages, err := command.StderrPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	counting := false
	lines := bufio.NewScanner(messages)
	for lines.Scan() {
		line := lines.Text()
		switch {
		case strings.HasPrefix(line, "go: downloading "):
			p.downloading()
		case isPackage(line):
			p.compiling(line)
			if !counting {
				counting = true
				go p.expect(stalePackages(flags))
			}
		default:
			p.message(os.Stderr, line)
		}
	}
	if err := errors.Join(lines.Err(), command.Wait()); err != nil {
		return fmt.Errorf("go build: %w", err)
	}
	return nil
}

// isPackage tells an import path from a message.
func isPackage(line string) bool {
	return line != "" && !strings.ContainsAny(line, " \t:#")
}

// stalePackages asks Go which packages have to be compiled. Asked while a build
// runs, it leaves out those that the build has finished. It returns nothing when
// Go does not tell; progress is then shown without a total.
func stalePackages(flags []string) []string {
	arguments := append([]string{"list", "-deps", "-f", "{{if .Stale}}{{.ImportPath}}{{end}}"}, append(flags, ".")...)
	command := goCommand(arguments...)
	command.Stderr = io.Discard
	list, err := command.Output()
	if err != nil {
		return nil
	}
	return strings.Fields(string(list))
}

// goCommand runs Go without cgo, as a static binary wants it, and without a
// workspace, which would mix this module's versions with others'.
func goCommand(arguments ...string) *exec.Cmd {
	command := exec.Command("go", arguments...)
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	return command
}

func isTerminal(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}
