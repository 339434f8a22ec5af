package e2e

import (
	"flag"
	"os"
	"testing"

	"github.com/rak-n-rok/krake/internal/kubelabtest"
)

func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("test.parallel", "8") // tests wait much more than they work
	code := kubelabtest.Run(m)
	if shared.krake != nil { // it may be killed at any moment, so it need not be stopped; only its data must not stay
		_ = os.RemoveAll(shared.dir)
	}
	os.Exit(code)
}
