package option

// File is the name of a file that the command reads; - is standard input.
type File string

// String returns the name.
func (f *File) String() string { return string(*f) }

// Type is what help calls the value where its usage text does not.
func (f *File) Type() string { return "string" }

// Set takes a name.
func (f *File) Set(text string) error {
	*f = File(text)
	return nil
}
