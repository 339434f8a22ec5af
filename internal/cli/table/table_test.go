package table

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const stamp = "2022-03-30 16:00:21"

var listHeader = []string{"name", "namespace", "labels", "created", "modified", "deleted", "state"}

var listRows = [][]string{
	{"minikube2", "system:admin", "None", stamp, stamp, "None", "PENDING"},
	{"other", "system:admin", "location: DE\ntier: a=b", stamp, stamp, "None", "PENDING"},
}

const ref = "{'api': 'kubernetes', 'kind': 'Cluster', 'name': 'minikube2', 'namespace': 'system:admin'}"

var detailRows = [][2]string{
	{"name", "echo-demo"}, {"namespace", "system:admin"}, {"labels", "None"}, {"created", stamp}, {"modified", stamp},
	{"deleted", "None"}, {"state", "RUNNING"},
	{"reason", "code: NO_SUITABLE_RESOURCE\nmessage: No matching Kubernetes cluster found"},
	{"container_health", "1 active / 1 desired"}, {"services", "echo-demo: 192.168.49.2:30285"},
	{"allow migration", "True"}, {"label constraints", "[]"}, {"resources constraints", "[]"},
	{"metric constraints", "[]"}, {"hooks", "[]"}, {"scheduled_to", ref}, {"scheduled", "2022-03-30 16:01:04"},
	{"running_on", ref}, {"backoff", "1"}, {"backoff_delay", "1"}, {"backoff_limit", "-1"},
}

func TestTables(t *testing.T) {
	for name, c := range map[string]struct{ got, want string }{
		"a list": {List(listHeader, listRows, 200), `
+-----------+--------------+--------------+---------------------+---------------------+---------+---------+
|   name    |  namespace   |    labels    |       created       |      modified       | deleted |  state  |
+===========+==============+==============+=====================+=====================+=========+=========+
| minikube2 | system:admin | None         | 2022-03-30 16:00:21 | 2022-03-30 16:00:21 | None    | PENDING |
| other     | system:admin | location: DE | 2022-03-30 16:00:21 | 2022-03-30 16:00:21 | None    | PENDING |
|           |              | tier: a=b    |                     |                     |         |         |
+-----------+--------------+--------------+---------------------+---------------------+---------+---------+
`},
		"an empty list": {List(listHeader, nil, Unlimited), `
+------+-----------+--------+---------+----------+---------+-------+
| name | namespace | labels | created | modified | deleted | state |
+======+===========+========+=========+==========+=========+=======+
+------+-----------+--------+---------+----------+---------+-------+
`},
		"a list that is wider than the line": {List(listHeader, listRows, 80), `
+-----------+-----------+-----------+-----------+----------+---------+---------+
|   name    | namespace |  labels   |  created  | modified | deleted |  state  |
+===========+===========+===========+===========+==========+=========+=========+
| minikube2 | system:ad | None      | 2022-03-  | 2022-03- | None    | PENDING |
|           | min       |           | 30        | 30       |         |         |
|           |           |           | 16:00:21  | 16:00:21 |         |         |
| other     | system:ad | location: | 2022-03-  | 2022-03- | None    | PENDING |
|           | min       | DE        | 30        | 30       |         |         |
|           |           | tier: a=b | 16:00:21  | 16:00:21 |         |         |
+-----------+-----------+-----------+-----------+----------+---------+---------+
`},
		"a detail that is wider than the line": {Detail(detailRows, 80), `
+-----------------------+------------------------------------------------------+
| name                  | echo-demo                                            |
| namespace             | system:admin                                         |
| labels                | None                                                 |
| created               | 2022-03-30 16:00:21                                  |
| modified              | 2022-03-30 16:00:21                                  |
| deleted               | None                                                 |
| state                 | RUNNING                                              |
| reason                | code: NO_SUITABLE_RESOURCE                           |
|                       | message: No matching Kubernetes cluster found        |
| container_health      | 1 active / 1 desired                                 |
| services              | echo-demo: 192.168.49.2:30285                        |
| allow migration       | True                                                 |
| label constraints     | []                                                   |
| resources constraints | []                                                   |
| metric constraints    | []                                                   |
| hooks                 | []                                                   |
| scheduled_to          | {'api': 'kubernetes', 'kind': 'Cluster', 'name':     |
|                       | 'minikube2', 'namespace': 'system:admin'}            |
| scheduled             | 2022-03-30 16:01:04                                  |
| running_on            | {'api': 'kubernetes', 'kind': 'Cluster', 'name':     |
|                       | 'minikube2', 'namespace': 'system:admin'}            |
| backoff               | 1                                                    |
| backoff_delay         | 1                                                    |
| backoff_limit         | -1                                                   |
+-----------------------+------------------------------------------------------+
`},
		"a detail with lines in a cell": {Detail([][2]string{{"name", "static_provider"}, {"metrics", "electricity_cost_1: 0.9\ngreen_energy_ratio_1: 0.1"}}, Unlimited), `
+---------+---------------------------+
| name    | static_provider           |
| metrics | electricity_cost_1: 0.9   |
|         | green_energy_ratio_1: 0.1 |
+---------+---------------------------+
`},
		"wide characters, a tab and an escape sequence": {Detail([][2]string{{"日本", "a\tb"}, {"x", "\x1b[31m"}}, Unlimited), `
+------+-----------+
| 日本 | a       b |
| x    | �[31m     |
+------+-----------+
`},
		"no room at all": {List([]string{"ab", "c"}, nil, 3), `
+---+---+
| a | c |
| b |   |
+===+===+
+---+---+
`},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(strings.TrimPrefix(c.want, "\n"), c.got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
