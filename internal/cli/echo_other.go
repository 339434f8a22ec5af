//go:build !linux

package cli

// muteTerminal does nothing: here only reading a password mutes the terminal, a moment after the question.
func muteTerminal(int) error { return nil }
