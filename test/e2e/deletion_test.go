package e2e

import (
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/rak-n-rok/krake/api"
	"github.com/rak-n-rok/krake/client"
)

func TestF1AnApplicationGoesWithItsThreeObjects(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	s.join("berlin", berlin)
	s.create("web", "", web+"---"+strings.ReplaceAll(settingsMap, "name: settings", "name: web"))
	a := s.awaitApp("web", running("berlin"))
	if n := len(s.inventory("web")); n != 3 {
		t.Fatalf("it has %d objects", n)
	}
	s.takeDown("web")
	s.awaitEmpty(berlin)
	if left := berlin.marked(s, configMaps, s.space); len(left) > 0 {
		t.Errorf("left are %v", left)
	}
	s.awaitLeftovers(0)
	// What is told of the record after its end leads to nothing: the next of its name is another one.
	s.create("web", "", web)
	if b := s.awaitApp("web", running("berlin")); b.Metadata.UID == a.Metadata.UID {
		t.Error("it is the same one")
	}
	for _, line := range s.log.about(s.space) {
		if strings.Contains(line, "level=ERROR") {
			t.Error(line)
		}
	}
}

func TestF2ADeletionThatTheClusterHasNoTimeForSaysSoAndGoesOn(t *testing.T) {
	berlin := sites(t, "berlin")[0]
	s := newScene(t)
	front, kubeconfig := frontOf(s, berlin)
	s.place(berlin)
	s.register("berlin", kubeconfig)
	s.awaitCluster("berlin", api.ClusterOnline)
	s.create("web", "", web)
	s.awaitApp("web", running("berlin"))
	front.suffer(answering(metav1.Status{Code: http.StatusServiceUnavailable, Message: "too busy"}, http.MethodDelete))
	if _, err := s.apps.Delete(s.Context(), s.space, "web", client.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	s.awaitApp("web", inState(api.AppDeleting), func(a *api.Application) error {
		return says(a.Status.Reason, api.KubernetesError)
	})
	front.suffer(nil)
	s.awaitEnd("web")
	s.awaitEmpty(berlin)
}
