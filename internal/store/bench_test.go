package store

import (
	"fmt"
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// Each benchmark has the same work done by etcd's own client, so that the cost
// of this package is the difference within one run. Writes are fast here
// because nothing is synced to the disk: that would be the same for both.

var benchmarkSizes = map[string]int{"1KiB": 1 << 10, "32KiB": 32 << 10}

// document resembles a manifest of about the size.
func document(size int) []byte {
	const line = `"containers":[{"name":"app","image":"registry/app:%d","env":[]}],`
	var b strings.Builder
	b.WriteString("{")
	for i := 0; b.Len() < size-len(line); i++ {
		fmt.Fprintf(&b, line, i*7919)
	}
	b.WriteString(`"end":true}`)
	return []byte(b.String())
}

func BenchmarkPut(b *testing.B) {
	for name, size := range benchmarkSizes {
		value := document(size)
		b.Run(name+"/store", func(b *testing.B) {
			s := open(b, Options{})
			for i := 0; b.Loop(); i++ {
				commit(b, s, Put(fmt.Sprintf("/a/%d", i%100), value))
			}
		})
		b.Run(name+"/etcd", func(b *testing.B) {
			s := open(b, Options{})
			for i := 0; b.Loop(); i++ {
				if _, err := s.client.Put(b.Context(), fmt.Sprintf("/a/%d", i%100), string(value)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkGet(b *testing.B) {
	for name, size := range benchmarkSizes {
		value := document(size)
		b.Run(name+"/store", func(b *testing.B) {
			s := open(b, Options{})
			commit(b, s, Put("/a", value))
			for b.Loop() {
				if _, err := s.Get(b.Context(), "/a"); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/etcd", func(b *testing.B) {
			s := open(b, Options{})
			if _, err := s.client.Put(b.Context(), "/a", string(value)); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := s.client.Get(b.Context(), "/a"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkListOf500(b *testing.B) {
	for name, size := range benchmarkSizes {
		value := document(size)
		b.Run(name+"/store", func(b *testing.B) {
			s := open(b, Options{})
			for i := range 500 {
				commit(b, s, Put(fmt.Sprintf("/a/%d", i), value))
			}
			for b.Loop() {
				if _, _, err := s.List(b.Context(), "/a/"); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"/etcd", func(b *testing.B) {
			s := open(b, Options{})
			for i := range 500 {
				if _, err := s.client.Put(b.Context(), fmt.Sprintf("/a/%d", i), string(value)); err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				if _, err := s.client.Get(b.Context(), "/a/", clientv3.WithPrefix()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkWatch measures a commit until each of some watches has its event. A
// thousand more watches see other prefixes, as the controllers' do.
func BenchmarkWatch(b *testing.B) {
	value := document(1 << 10)
	for _, readers := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("%d/store", readers), func(b *testing.B) {
			s := open(b, Options{})
			var watches []*Watch
			for range readers {
				watches = append(watches, watch(b, s, "/a/", Cursor{}))
			}
			for i := range 1000 {
				watch(b, s, fmt.Sprintf("/other/%d/", i), Cursor{})
			}
			for b.Loop() {
				commit(b, s, Put("/a/1", value))
				for _, w := range watches {
					if _, err := w.Next(b.Context()); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
		b.Run(fmt.Sprintf("%d/etcd", readers), func(b *testing.B) {
			s := open(b, Options{})
			var watches []clientv3.WatchChan
			for range readers {
				w := s.client.Watch(b.Context(), "/a/", clientv3.WithPrefix(), clientv3.WithPrevKV(), clientv3.WithCreatedNotify())
				<-w
				watches = append(watches, w)
			}
			for b.Loop() {
				if _, err := s.client.Put(b.Context(), "/a/1", string(value)); err != nil {
					b.Fatal(err)
				}
				for _, w := range watches {
					<-w
				}
			}
		})
	}
}

func BenchmarkFrame(b *testing.B) {
	for _, size := range []int{2 << 10, 4 << 10, 8 << 10, 32 << 10, 1 << 20} {
		value := document(size)
		frame := compressFrame(value)
		b.Run(fmt.Sprintf("encode/%dKiB", size>>10), func(b *testing.B) {
			for b.Loop() {
				compressFrame(value)
			}
			b.ReportMetric(float64(len(frame))/float64(len(value)), "ratio")
		})
		b.Run(fmt.Sprintf("decode/%dKiB", size>>10), func(b *testing.B) {
			for b.Loop() {
				if _, err := decodeFrame(frame); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	b.Run("new directory", func(b *testing.B) {
		for b.Loop() {
			s := open(b, Options{})
			s.Close()
		}
	})
	b.Run("10,000 revisions of 4 KiB", func(b *testing.B) {
		o := Options{Dir: b.TempDir()}
		s := open(b, o)
		value := document(4 << 10)
		for i := range 10_000 {
			commit(b, s, Put(fmt.Sprintf("/a/%d", i%500), value))
		}
		s.Close()
		for b.Loop() {
			open(b, o).Close()
		}
	})
}
