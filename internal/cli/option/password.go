package option

// Password is a secret. An empty one is none: what needs it asks for it.
type Password string

// String returns nothing, so that no help or error shows it.
func (p *Password) String() string { return "" }

// Type is what help calls the value.
func (p *Password) Type() string { return "PASSWORD" }

// Set takes the password.
func (p *Password) Set(text string) error {
	*p = Password(text)
	return nil
}
