package gateway

import (
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/api/channel"
	"github.com/rak-n-rok/krake/internal/fleet"
)

// exec runs a command in a container of the application. What can be known before is told before the upgrade: that the pod
// is gone, that the kubeconfig lacks the right. After that the cluster itself says how it went, in the last message.
func (g *Gateway) exec(w http.ResponseWriter, r *http.Request, app *api.Application, _ any) error {
	q := query{Values: r.URL.Query()}
	both := !q.Has("stdout") && !q.Has("stderr")
	o := fleet.ExecOptions{
		Command: q.Values["command"], Stdin: q.flag("stdin", false), Stdout: q.flag("stdout", both), Stderr: q.flag("stderr", both),
		TTY: q.flag("tty", false),
	}
	switch {
	case q.err != nil:
		return q.err
	case len(o.Command) == 0 || o.Command[0] == "":
		q.fail("command", "Missing data for required field.")
		return q.err
	case !o.Stdin && !o.Stdout && !o.Stderr:
		q.fail("stdout", "One of stdin, stdout and stderr is needed.")
		return q.err
	}
	at, pod, err := g.reach(w, r, app, false)
	if err != nil {
		return err
	}
	c, err := container(pod, q.Get("container"))
	if err != nil {
		return err
	}
	if !c.Running {
		return conflict("the container %s of the pod %s does not run%s", c.Name, pod.Name, because(c.Waiting))
	}
	o.Container = c.Name
	session, err := at.member.Exec(r.Context(), pod, o)
	if err != nil {
		return problem(at.name(), err)
	}
	conn, err := channel.Accept(w, r)
	if err != nil {
		session.Drop()
		return nil // it was answered
	}
	g.log.Info("a command was run", "application", app.Metadata.NamespaceOrEmpty()+"/"+app.Metadata.Name, "cluster", at.name(),
		"pod", pod.Namespace+"/"+pod.Name, "container", c.Name, "request_id", w.Header().Get(api.RequestIDHeader))
	relay := newRelay(conn, g.idle)
	relay.run(r.Context(), session.Drop, func(ctx context.Context) error {
		for {
			to, content, err := relay.receive(ctx)
			if err != nil {
				return err
			}
			if err := session.Send(ctx, channel.Of(to, content)); err != nil {
				<-ctx.Done() // the other direction says what is the matter
				return errGone
			}
		}
	}, func(ctx context.Context) error {
		for {
			message, err := session.Receive(ctx)
			if errors.Is(err, io.EOF) {
				return errOver
			}
			if err != nil {
				_ = relay.send(ctx, channel.Of(channel.Result, channel.Failure("the connection to the cluster was lost")))
				return errors.New("the connection to the cluster was lost")
			}
			if err := relay.send(ctx, message); err != nil {
				return err
			}
		}
	})
	return nil
}

func because(why string) string {
	if why == "" {
		return ""
	}
	return ": " + why
}
