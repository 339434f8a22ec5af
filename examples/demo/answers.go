package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/rak-n-rok/krake/internal/witness"
)

// application is what the story reads of one.
type application struct {
	Status struct {
		State     string            `json:"state"`
		Services  map[string]string `json:"services"`
		RunningOn *struct {
			Name string `json:"name"`
		} `json:"running_on"`
	} `json:"status"`
}

// address reads from Krake where the application is.
func (d *demo) address(ctx context.Context) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.api+"/kubernetes/namespaces/system:admin/applications/echo-demo", nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var app application
	if err := json.NewDecoder(resp.Body).Decode(&app); err != nil {
		return "", fmt.Errorf("%s: %w", resp.Status, err)
	}
	address := app.Status.Services["echo-demo"]
	if address == "" {
		return "", errors.New("there is no address")
	}
	return address, nil
}

// curl asks the application at the address that rok has just shown, and shows the answer.
func (d *demo) curl(ctx context.Context) error {
	if !d.real {
		return nil
	}
	address, err := d.address(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("\n$ curl http://%s/\n", address)
	var answer string
	whole := func(body string) (string, bool) { answer = body; return witness.EchoHost(body) }
	for deadline := time.Now().Add(time.Minute); ; {
		_, err := witness.Ask(ctx, http.DefaultClient, address, whole)
		if err == nil {
			fmt.Print(answer)
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the application does not answer: %w", err)
		}
		if err := sleep(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
}

// askMeanwhile sends 20 requests each second until ctx ends, each one to where the application is by Krake; none where no
// containers run.
func (d *demo) askMeanwhile(ctx context.Context) <-chan witness.Answered {
	answered := make(chan witness.Answered, 1)
	go func() {
		if !d.real {
			answered <- witness.Answered{}
			return
		}
		answered <- witness.Load{
			Workers: 2, Pause: 100 * time.Millisecond, Address: d.address, Answer: witness.EchoHost,
		}.Run(ctx)
	}()
	return answered
}

func (d *demo) tellOfRequests(a witness.Answered) error {
	if !d.real {
		fmt.Println("(The nodes are simulated by kwok: pods become ready and get addresses, but nothing answers on them.)")
		return nil
	}
	fmt.Printf("Meanwhile it was asked: %s.\n", a)
	if len(a.Failures) > 0 {
		return fmt.Errorf("a request failed: %w", a.Failures[0].Err)
	}
	return nil
}
