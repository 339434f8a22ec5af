// Package table draws rok's tables: lists with a header, and details with a label and a value in each row. The frame is
// go-pretty's; what goes into it, the widths and the breaking of lines, follows the rules that Krake's tables have always
// had and that go-pretty does not know, so that a script which reads a table goes on reading it.
package table
