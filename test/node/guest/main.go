// Command guest is what runs in containers of the tests: without a word it writes a line now and then, and answers
// connections with the line that they say; other words do what people do in containers.
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/term"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "guest:", err)
		os.Exit(1)
	}
}

func run(words []string) error {
	if len(words) == 0 {
		return live()
	}
	switch words[0] {
	case "cat": // standard input to standard output
		_, err := io.Copy(os.Stdout, os.Stdin)
		return err
	case "exit": // with a code, after a line on either output
		code, err := strconv.Atoi(words[1])
		if err != nil {
			return err
		}
		fmt.Println("out")
		fmt.Fprintln(os.Stderr, "err")
		os.Exit(code)
	case "size": // of the terminal, until a line is read
		return size()
	case "flood": // more than anybody takes
		line := make([]byte, 1<<16)
		for {
			if _, err := os.Stdout.Write(line); err != nil {
				return err
			}
		}
	}
	return fmt.Errorf("what is %q?", words)
}

func size() error {
	tell := func() {
		width, height, err := term.GetSize(0)
		fmt.Printf("size %d %d %v\n", width, height, err)
	}
	changed := make(chan os.Signal, 1)
	signal.Notify(changed, syscall.SIGWINCH)
	tell()
	line := make(chan string, 1)
	go func() {
		text, _ := bufio.NewReader(os.Stdin).ReadString('\n')
		line <- text
	}()
	for {
		select {
		case <-changed:
			tell()
		case text := <-line:
			fmt.Printf("read %q\n", text)
			return nil
		}
	}
}

// live writes lines and echoes on port 8080, until it is told to end.
func live() error {
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM)
	listener, err := net.Listen("tcp", ":8080")
	if err != nil {
		return err
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				said, _ := bufio.NewReader(conn).ReadString('\n')
				_, _ = io.WriteString(conn, "you said "+said)
			}()
		}
	}()
	tick := time.NewTicker(200 * time.Millisecond)
	for n := 1; ; n++ {
		fmt.Println("line", n)
		select {
		case <-ended:
			fmt.Println("bye")
			return nil
		case <-tick.C:
		}
	}
}
