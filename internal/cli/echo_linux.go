package cli

import "golang.org/x/sys/unix"

// muteTerminal has a terminal not show what is typed.
func muteTerminal(fd int) error {
	settings, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return err
	}
	settings.Lflag &^= unix.ECHO
	return unix.IoctlSetTermios(fd, unix.TCSETS, settings)
}
