package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// How long etcd may take to answer a read and a write.
const (
	answerWithin = 5 * time.Second
	commitWithin = 10 * time.Second
)

// unavailable makes an error of etcd that says nothing of the request one of ours: as, or what it was.
func unavailable(ctx context.Context, err, as error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil { // the caller gave up, and knows it
		return ctx.Err()
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("%w (%w)", as, err)
	}
	var told rpctypes.EtcdError
	code := status.Code(err)
	if errors.As(err, &told) {
		code = told.Code()
	}
	if code == codes.Unavailable || code == codes.DeadlineExceeded || code == codes.ResourceExhausted && !errors.Is(err, rpctypes.ErrNoSpace) {
		return fmt.Errorf("%w (%w)", as, err)
	}
	return err
}
