package image

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"runtime"
)

// An Image is a program under the names that manifests use for it.
type Image struct {
	Names  []string
	Binary []byte // a static program for Linux
}

// program is where an image has its program.
const program = "program"

// configuration and manifest are what the archive format wants to know.
type configuration struct {
	Architecture string `json:"architecture"`
	OS           string `json:"os"`
	Config       struct {
		Entrypoint []string
	} `json:"config"`
	RootFS struct {
		Type    string   `json:"type"`
		DiffIDs []string `json:"diff_ids"`
	} `json:"rootfs"`
}

type manifest struct {
	Config   string
	RepoTags []string
	Layers   []string
}

// Archive returns images in the format of `docker save`.
func Archive(images ...Image) ([]byte, error) {
	var archive bytes.Buffer
	to := tar.NewWriter(&archive)
	var manifests []manifest
	for _, i := range images {
		m, err := i.write(to)
		if err != nil {
			return nil, fmt.Errorf("image %s: %w", i.Names[0], err)
		}
		manifests = append(manifests, m)
	}
	content, err := json.Marshal(manifests)
	if err != nil {
		return nil, err
	}
	if err := add(to, "manifest.json", 0o644, content); err != nil {
		return nil, err
	}
	return archive.Bytes(), to.Close()
}

// write adds an image's layer and configuration to an archive.
func (i Image) write(to *tar.Writer) (manifest, error) {
	var layer bytes.Buffer
	files := tar.NewWriter(&layer)
	if err := add(files, program, 0o755, i.Binary); err != nil {
		return manifest{}, err
	}
	if err := files.Close(); err != nil {
		return manifest{}, err
	}
	config := configuration{Architecture: runtime.GOARCH, OS: "linux"}
	config.Config.Entrypoint = []string{"/" + program}
	config.RootFS.Type = "layers"
	config.RootFS.DiffIDs = []string{"sha256:" + digest(layer.Bytes())}
	content, err := json.Marshal(config)
	if err != nil {
		return manifest{}, err
	}
	m := manifest{
		Config:   digest(content) + ".json",
		RepoTags: i.Names,
		Layers:   []string{digest(layer.Bytes()) + ".tar"},
	}
	if err := add(to, m.Config, 0o644, content); err != nil {
		return manifest{}, err
	}
	return m, add(to, m.Layers[0], 0o644, layer.Bytes())
}

// add writes a file without a date, so that the same program makes the same
// image.
func add(to *tar.Writer, name string, mode int64, content []byte) error {
	header := &tar.Header{Name: name, Mode: mode, Size: int64(len(content)), Typeflag: tar.TypeReg}
	if err := to.WriteHeader(header); err != nil {
		return err
	}
	_, err := to.Write(content)
	return err
}

func digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// CheckStatic returns an error unless the program can run without any other
// file: in the image there is none.
func CheckStatic(binary io.ReaderAt) error {
	file, err := elf.NewFile(binary)
	if err != nil {
		return fmt.Errorf("it is not a program for Linux: %w", err)
	}
	for _, part := range file.Progs {
		if part.Type == elf.PT_INTERP {
			return fmt.Errorf("it is not static; with Go, build it with CGO_ENABLED=0")
		}
	}
	return nil
}
