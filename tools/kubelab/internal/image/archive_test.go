package image

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestArchive(t *testing.T) {
	images := []Image{
		{Names: []string{"example.org/a:1", "example.org/a:2"}, Binary: []byte("program a")},
		{Names: []string{"b:1"}, Binary: []byte("program b")},
	}
	archive, err := Archive(images...)
	if err != nil {
		t.Fatal(err)
	}
	files := untar(t, archive)
	var manifests []manifest
	if err := json.Unmarshal(files["manifest.json"], &manifests); err != nil || len(manifests) != len(images) {
		t.Fatalf("%d manifests, %v", len(manifests), err)
	}
	for i, m := range manifests {
		if got, want := strings.Join(m.RepoTags, " "), strings.Join(images[i].Names, " "); got != want {
			t.Errorf("image %d is called %s, should be %s", i, got, want)
		}
		var config configuration
		if err := json.Unmarshal(files[m.Config], &config); err != nil {
			t.Fatal(err)
		}
		layer := files[m.Layers[0]]
		if len(config.RootFS.DiffIDs) != 1 || config.RootFS.DiffIDs[0] != "sha256:"+digest(layer) {
			t.Errorf("image %d: the layer is not %v", i, config.RootFS.DiffIDs)
		}
		entry := strings.TrimPrefix(config.Config.Entrypoint[0], "/")
		if got := untar(t, layer)[entry]; !bytes.Equal(got, images[i].Binary) {
			t.Errorf("image %d runs %q", i, got)
		}
	}
	if again, _ := Archive(images...); !bytes.Equal(again, archive) {
		t.Error("the same programs made another archive")
	}
}

func TestCheckStatic(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pause")
	build := exec.Command("go", "build", "-trimpath", "-o", file, "../../images/pause")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	static, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	linked, err := os.ReadFile("/bin/sh")
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		binary []byte
		want   string
	}{
		"a static program":        {static, ""},
		"a program with a loader": {linked, "not static"},
		"a script":                {[]byte("#!/bin/sh\n"), "not a program for Linux"},
	} {
		err := CheckStatic(bytes.NewReader(test.binary))
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

func untar(t *testing.T, archive []byte) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	reader := tar.NewReader(bytes.NewReader(archive))
	for {
		header, err := reader.Next()
		if err == io.EOF {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[header.Name], err = io.ReadAll(reader); err != nil {
			t.Fatal(err)
		}
	}
}
