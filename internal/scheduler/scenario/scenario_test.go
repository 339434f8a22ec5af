package scenario

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The stories that document the scheduler.
func TestStories(t *testing.T) {
	files, err := filepath.Glob("../../../docs/scenarios/*.scenario")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".scenario"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			told, err := Parse(string(text))
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range told {
				t.Run(s.Title, func(t *testing.T) {
					if err := s.Run(nil); err != nil {
						t.Error(err)
					}
				})
			}
		})
	}
}
