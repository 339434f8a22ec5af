// Package architecture holds no code: its test keeps the rules of docs/architecture.md true.
package architecture
