package cli

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
)

func (p *program) logOfApplication(k *presentation) *cobra.Command {
	cmd, o := p.through(k, "log NAME", "Show what the containers of an application have written", exactly([]string{"NAME"}),
		"echo-demo", "-f --tail 20 echo-demo")
	flags := cmd.Flags()
	follow := flags.BoolP("follow", "f", false, "go on with what they write from now on, in pods that come later, too")
	pod := flags.String("pod", "", "only this `POD`; without it every line begins with the pod and the container")
	container := flags.StringP("container", "c", "", "only containers of this `NAME`")
	tail := flags.Int64("tail", -1, "at most so `MANY` of the last lines of each container (default all)")
	flags.Lookup("tail").DefValue = "0" // which help does not show
	since := flags.Duration("since", 0, "only what was written in this `TIME` before now, such as 5m")
	timestamps := flags.Bool("timestamps", false, "begin every line with the time when it was written")
	cmd.RunE = p.run(func(cmd *cobra.Command, args []string) error {
		query := url.Values{}
		put := func(name, value string, given bool) {
			if given {
				query.Set(name, value)
			}
		}
		switch {
		case flags.Changed("tail") && (*tail < 0 || *tail > math.MaxInt32):
			return usagef("argument --tail: must be between 0 and %d", math.MaxInt32)
		case flags.Changed("since") && *since < time.Second:
			return usagef("argument --since: must be at least 1s")
		}
		put("follow", "true", *follow)
		put("pod", *pod, *pod != "")
		put("container", *container, *container != "")
		put("tail", strconv.FormatInt(*tail, 10), *tail >= 0)
		put("since", strconv.FormatInt(int64(math.Ceil(since.Seconds())), 10), *since > 0)
		put("timestamps", "true", *timestamps)
		c, err := p.connect(*o.config)
		if err != nil {
			return err
		}
		stream, err := c.client.Stream(cmd.Context(), client.Request{Method: http.MethodGet, Query: query,
			Path: path(k.kind, c.namespace(*o.namespace), args[0]) + "/" + api.LogPassage})
		if err != nil {
			return c.explain(err)
		}
		defer stream.Close()
		if _, err := io.Copy(p.Out, stream); err != nil {
			if errors.Is(err, io.ErrUnexpectedEOF) {
				return errors.New("the log was broken off")
			}
			return fmt.Errorf("the log was broken off: %w", err)
		}
		return nil
	})
	return cmd
}
