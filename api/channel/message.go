package channel

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
)

// The names of the protocol. The older one lacks nothing but the signal Close, which is understood under both.
const (
	V5 = "v5.channel.k8s.io"
	V4 = "v4.channel.k8s.io"
)

// What a message is for: the first byte of it. The first five are those of exec.
const (
	Stdin  = 0
	Stdout = 1
	Stderr = 2
	// Result is how a command ended, as a Status of Kubernetes. It is the last message of exec.
	Result = 3
	// Resize is a new size of the terminal, as the JSON of a Size.
	Resize = 4
	// Close has the number of another channel as its content: nothing more comes there.
	Close = 255
)

// The channels of portforward. Each begins with a message that has the number of the port in it; see Port.
const (
	Data  = 0
	Error = 1 // a text; the connection has failed then
)

// MaxMessage bounds a message, in bytes. Senders of data keep theirs below a few 10 KiB.
const MaxMessage = 1 << 20

// Of makes a message.
func Of(channel byte, content []byte) []byte {
	return append([]byte{channel}, content...)
}

// ErrEmpty says that a message has not even the byte that says what it is for.
var ErrEmpty = errors.New("a message without a channel")

// Split takes a message apart.
func Split(message []byte) (channel byte, content []byte, err error) {
	if len(message) == 0 {
		return 0, nil, ErrEmpty
	}
	return message[0], message[1:], nil
}

// Closing makes the message that says that nothing more comes on a channel.
func Closing(channel byte) []byte { return []byte{Close, channel} }

// Size is how large a terminal is, in characters.
type Size struct {
	Width  uint16 `json:"Width"`
	Height uint16 `json:"Height"`
}

// Message tells the size.
func (s Size) Message() []byte {
	content, err := json.Marshal(s)
	if err != nil {
		panic(err) // two numbers
	}
	return Of(Resize, content)
}

// Port is the first content on a channel of portforward: the number of the port.
func Port(n uint16) []byte { return binary.LittleEndian.AppendUint16(nil, n) }

// status is what is read of a Status of Kubernetes.
type status struct {
	Status  string `json:"status"`
	Message string `json:"message"`
	Reason  string `json:"reason"`
	Details struct {
		Causes []struct {
			Type    string `json:"reason"`
			Message string `json:"message"`
		} `json:"causes"`
	} `json:"details"`
}

// ExitError says that a command ended with another code than 0.
type ExitError struct{ Code int }

func (e *ExitError) Error() string { return fmt.Sprintf("the command ended with code %d", e.Code) }

// ReadResult reads how a command ended: nil, an *ExitError, or what kept it from running.
func ReadResult(content []byte) error {
	var s status
	if err := json.Unmarshal(content, &s); err != nil {
		return fmt.Errorf("how the command ended cannot be read: %w", err)
	}
	if s.Status == "Success" {
		return nil
	}
	if s.Reason == "NonZeroExitCode" {
		for _, cause := range s.Details.Causes {
			if code, err := strconv.Atoi(cause.Message); cause.Type == "ExitCode" && err == nil && code != 0 {
				return &ExitError{code}
			}
		}
	}
	if s.Message == "" {
		return errors.New("the command has failed, and nothing is said of why")
	}
	return errors.New(s.Message)
}

// Failure is the result of a command that could not be run.
func Failure(message string) []byte {
	content, err := json.Marshal(map[string]any{"kind": "Status", "apiVersion": "v1", "metadata": map[string]any{},
		"status": "Failure", "message": message, "reason": "InternalError", "code": 500})
	if err != nil {
		panic(err) // texts and numbers
	}
	return content
}
