package apiserver

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"github.com/google/uuid"

	"github.com/rak-n-rok/krake/internal/store"
)

// installationKey is where the name of this Krake is stored.
const installationKey = "/krake/installation"

// installation is the answer to GET /installation. Objects on clusters are marked with it, so that two Krakes that use
// the same cluster can tell theirs apart.
type installation struct {
	Installation string `json:"installation"`
}

func (s *Server) showInstallation(w http.ResponseWriter, r *http.Request) {
	name, err := s.installation(r.Context())
	if err != nil {
		s.fail(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, installation{name})
}

// installation returns the name of this Krake, which is chosen by chance when it is first asked for.
func (s *Server) installation(ctx context.Context) (string, error) {
	for {
		record, err := s.store.Get(ctx, installationKey)
		if err == nil {
			var i installation
			err := json.Unmarshal(record.Value, &i)
			return i.Installation, err
		}
		if !errors.Is(err, store.ErrNotFound) {
			return "", err
		}
		data, err := json.Marshal(installation{uuid.NewString()})
		if err != nil {
			return "", err
		}
		_, err = s.store.Commit(ctx, store.Txn{
			If: []store.Condition{store.Absent(installationKey)}, Do: []store.Op{store.Put(installationKey, data)},
		})
		if err != nil && !errors.Is(err, store.ErrConflict) {
			return "", err
		}
	}
}
