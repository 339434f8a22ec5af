package store

import (
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/etcdserver"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3rpc"
	"go.etcd.io/etcd/server/v3/proxy/grpcproxy/adapter"
)

// newInProcessClient gives a client that calls the server's functions, and what
// closes it. After that nothing of it is at work in the server, which may then
// be closed: behind a socket the server would wait for its streams by itself,
// here one that still looks up a deleted value would read a closed database.
func newInProcessClient(server *etcdserver.EtcdServer) (client *clientv3.Client, closeClient func()) {
	client = v3client.New(server)
	streams := &watchServer{WatchServer: v3rpc.NewWatchServer(server)}
	client.Watcher = clientv3.NewWatchFromWatchClient(adapter.WatchServerToWatchClient(streams), client)
	return client, func() {
		client.Close() // reports that its context ended, always
		streams.gate.close()
	}
}

// A watchServer counts the streams it serves.
type watchServer struct {
	etcdserverpb.WatchServer
	gate gate
}

// Watch serves one stream; it returns when everything it started has ended.
func (s *watchServer) Watch(stream etcdserverpb.Watch_WatchServer) error {
	if err := s.gate.enter(); err != nil {
		return err
	}
	defer s.gate.leave()
	return s.WatchServer.Watch(stream)
}
