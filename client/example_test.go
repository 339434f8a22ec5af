package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http/httptest"
	"os"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
	"github.com/rak-n-rok/krake/internal/apiserver"
	"github.com/rak-n-rok/krake/internal/store"
)

// An object is created and changed. Whoever has read it before the change cannot overwrite that.
func Example() {
	url, stop := exampleServer()
	defer stop()
	ctx := context.Background()
	c, err := client.New(client.Config{URL: url})
	if err != nil {
		log.Fatal(err)
	}
	roles := client.Of[api.Role](c)

	role := api.New[api.Role]()
	role.Metadata.Name = "reader"
	role.Rules = []api.RoleRule{{API: "kubernetes", Resources: []string{"applications"}, Namespaces: []string{""}, Verbs: []api.Verb{api.VerbList}}}
	first, err := roles.Create(ctx, role)
	if err != nil {
		log.Fatal(err)
	}
	second, err := roles.Patch(ctx, first, map[string]any{"metadata": map[string]any{"labels": map[string]string{"team": "grid"}}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(second.Metadata.Labels)

	_, err = roles.Update(ctx, first)
	fmt.Println(client.Conflict(err))
	// Output:
	// map[team:grid]
	// true
}

// A list and a watch from its version miss nothing in between, whatever becomes of the connection.
func ExampleObjects_watch() {
	url, stop := exampleServer()
	defer stop()
	ctx := context.Background()
	c, err := client.New(client.Config{URL: url + "," + url}) // several servers of the same API, if there are
	if err != nil {
		log.Fatal(err)
	}
	roles := client.Of[api.Role](c)
	_, version, err := roles.List(ctx, "")
	if err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{"a", "b"} {
		role := api.New[api.Role]()
		role.Metadata.Name = name
		if _, err := roles.Create(ctx, role); err != nil {
			log.Fatal(err)
		}
	}
	enough := errors.New("enough")
	err = roles.Watch(ctx, "", version, func(e client.Event[*api.Role]) error {
		fmt.Println(e.Type, e.Object.Metadata.Name)
		if e.Object.Metadata.Name == "b" {
			return enough
		}
		return nil
	})
	fmt.Println(errors.Is(err, enough))
	// Output:
	// ADDED a
	// ADDED b
	// true
}

// exampleServer runs a real API for an example.
func exampleServer() (url string, stop func()) {
	dir, err := os.MkdirTemp("", "krake-example")
	if err != nil {
		log.Fatal(err)
	}
	data, err := store.Open(context.Background(), store.Options{Dir: dir, UnsafeNoFsync: true, Logger: quiet})
	if err != nil {
		log.Fatal(err)
	}
	h := httptest.NewServer(apiserver.New(apiserver.Options{Store: data, Log: quiet}))
	return h.URL, func() {
		h.CloseClientConnections()
		_ = data.Close()
		h.Close()
		_ = os.RemoveAll(dir)
	}
}
