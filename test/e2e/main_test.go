package e2e

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/rak-n-rok/krake/internal/kubelabtest"
)

func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("test.parallel", "8") // tests wait much more than they work
	code := kubelabtest.Run(m)
	if shared.krake != nil {
		if err := shared.krake.end(); err != nil {
			fmt.Fprintln(os.Stderr, "the shared server ended badly:", err)
			code = 1
		}
		_ = os.RemoveAll(shared.dir) // not before: etcd ends the process when its directory goes
	}
	os.Exit(code)
}
