package closed

// The shared models (section 2 of the specification).
var (
	metadata = model{
		"name": name, "namespace": nullable{name}, "labels": dict{labelKey, labelVal}, "inherit_labels": boolean,
		"finalizers": list{str}, "uid": str, "created": datetime, "modified": datetime, "deleted": nullable{datetime},
		"owners": list{reference},
	}
	reference = model{"api": str, "namespace": nullable{str}, "kind": str, "name": str}
	metric    = model{"name": str, "weight": number, "namespaced": boolean}
	reason    = model{"code": oneOf(reasonCodes...), "message": str}
	reasons   = dict{str, reason}
)

var reasonCodes = []string{
	"INTERNAL_ERROR", "INVALID_RESOURCE", "UNSUPPORTED_RESOURCE", "INVALID_CUSTOM_RESOURCE", "INVALID_TOSCA_MANIFEST",
	"CLUSTER_NOT_REACHABLE", "NO_SUITABLE_RESOURCE", "KUBERNETES_ERROR", "CREATE_FAILED", "RECONCILE_FAILED",
	"RECONFIGURE_FAILED", "DELETE_FAILED", "RETRIEVE_FAILED", "NOT_FOUND", "OPENSTACK_ERROR", "INVALID_CLUSTER_TEMPLATE",
	"INVALID_METRIC", "UNREACHABLE_METRICS_PROVIDER", "UNKNOWN_METRIC", "UNKNOWN_METRICS_PROVIDER",
}

// resources are the kinds of the reference: group, and the fields beside the envelope (section 3).
var resources = map[string]struct {
	group  string
	fields model
}{
	"Role": {"core", model{"rules": list{model{
		"api": str, "resources": list{str}, "namespaces": list{str},
		"verbs": list{oneOf("create", "list", "list_all", "get", "update", "delete")},
	}}}},
	"RoleBinding":           {"core", model{"users": list{str}, "roles": list{str}}},
	"GlobalMetric":          {"core", model{"spec": metricSpec}},
	"Metric":                {"core", model{"spec": metricSpec}},
	"GlobalMetricsProvider": {"core", model{"spec": providerSpec}},
	"MetricsProvider":       {"core", model{"spec": providerSpec}},

	"Application": {"kubernetes", model{"spec": applicationSpec, "status": applicationStatus}},
	"Cluster":     {"kubernetes", model{"spec": clusterSpec, "status": clusterStatus}},

	"GlobalInfrastructureProvider": {"infrastructure", model{"spec": infrastructureSpec}},
	"InfrastructureProvider":       {"infrastructure", model{"spec": infrastructureSpec}},
	"GlobalCloud":                  {"infrastructure", model{"spec": cloudSpec, "status": metricsStatus}},
	"Cloud":                        {"infrastructure", model{"spec": cloudSpec, "status": metricsStatus}},

	"Project":       {"openstack", model{"spec": projectSpec, "status": metricsStatus}},
	"MagnumCluster": {"openstack", model{"spec": magnumSpec, "status": magnumStatus}},
}

var (
	metricSpec = model{
		"allowed_values": list{integer}, "min": number, "max": number, "provider": model{"name": str, "metric": str},
	}
	providerSpec = container{
		"prometheus": model{"url": str},
		"influx":     model{"url": str, "token": str, "org": str, "bucket": str},
		"kafka":      model{"comparison_column": str, "value_column": str, "table": str, "url": str},
		"static":     model{"metrics": dict{str, number}},
	}
)

var (
	applicationSpec = model{
		"manifest": list{object}, "tosca": either(object, str), "csar": nullable{str}, "observer_schema": list{object},
		"constraints": model{
			"cluster": model{
				"labels": nullable{list{str}}, "custom_resources": list{str}, "metrics": nullable{list{str}},
			},
			"migration": boolean,
		},
		"hooks": list{str}, "shutdown_grace_time": nullable{integer}, "shutdown_failure_strategy": nullable{str},
		"shutdown_retry_count": nullable{integer}, "backoff": integer, "backoff_delay": integer, "backoff_limit": integer,
		"storage_migration": str, "auto_cluster_create": boolean,
	}
	applicationStatus = model{
		"reason": nullable{reason},
		"state": oneOf("PENDING", "CREATING", "RUNNING", "RECONCILING", "TRANSLATING", "RETRYING", "RESTARTING",
			"WAITING_FOR_CLEANING", "READY_FOR_ACTION", "MIGRATING", "WAITING_FOR_CLUSTER_CREATION", "DELETING", "DELETED",
			"DEGRADED", "FAILED", "COMPLETED"),
		"container_health": model{
			"desired_pods": integer, "running_pods": integer, "completed_pods": integer, "failed_pods": integer,
		},
		"kube_controller_triggered": nullable{datetime}, "scheduled": nullable{datetime}, "scheduled_to": nullable{reference},
		"running_on": nullable{reference}, "retries": nullable{integer}, "scheduled_retry": nullable{datetime}, "services": object,
		"mangled_observer_schema": list{object}, "last_observed_manifest": list{object}, "last_applied_manifest": list{object},
		"complete_token": nullable{str}, "complete_cert": nullable{str}, "complete_key": nullable{str},
		"shutdown_token": nullable{str}, "shutdown_cert": nullable{str}, "shutdown_key": nullable{str},
		"shutdown_grace_period": nullable{datetime}, "auto_cluster_create_started": nullable{str},
		"migration_retries": integer, "migration_timeout": integer,
	}
)

var (
	clusterSpec = model{
		"kubeconfig": object, "tosca": object, "custom_resources": list{str},
		"constraints": model{"cloud": model{"labels": nullable{list{str}}, "metrics": nullable{list{str}}}},
		"metrics":     list{metric}, "inherit_metrics": boolean,
		"backoff": integer, "backoff_delay": integer, "backoff_limit": integer, "auto_generated": boolean,
	}
	clusterStatus = model{
		"reason": nullable{reason}, "kube_controller_triggered": nullable{datetime},
		"state": oneOf("PENDING", "ONLINE", "CONNECTING", "OFFLINE", "UNHEALTHY", "NOTREADY", "FAILING_METRICS", "CREATING",
			"RECONCILING", "DELETING", "FAILING_RECONCILIATION", "FAILED", "DEGRADED"),
		"metrics_reasons": reasons, "last_applied_tosca": object,
		"nodes": list{model{
			"api": str, "kind": str, "metadata": model{"name": str},
			"status": nullable{model{"conditions": list{model{"message": str, "reason": str, "status": str, "type": str}}}},
		}},
		"cluster_id": nullable{str}, "scheduled": nullable{datetime}, "scheduled_to": nullable{reference},
		"running_on": nullable{reference}, "retries": integer,
	}
)

var (
	infrastructureSpec = container{
		"im": model{"url": str, "username": nullable{str}, "password": nullable{str}, "token": nullable{str}},
	}
	cloudSpec = container{"openstack": model{
		"url": str,
		"auth": container{"password": model{
			"version": str,
			"user":    model{"username": str, "password": str, "domain_name": str, "comment": nullable{str}},
			"project": model{"name": str, "domain_id": str, "comment": nullable{str}},
		}},
		"metrics": list{metric}, "infrastructure_provider": model{"name": str, "namespaced": boolean},
	}}
	metricsStatus = model{"state": oneOf("ONLINE", "FAILING_METRICS"), "metrics_reasons": reasons}
)

var (
	projectSpec = model{
		"url": str, "template": str, "metrics": list{metric},
		"auth": container{
			"password": model{
				"user":    model{"id": str, "password": str, "comment": nullable{str}},
				"project": model{"id": str, "comment": nullable{str}},
			},
			"application_credential": model{"id": str, "secret": str},
		},
	}
	magnumSpec = model{
		"master_count": nullable{integer}, "node_count": nullable{integer}, "metrics": list{metric},
		"constraints": nullable{model{"project": nullable{model{"labels": nullable{list{str}}}}}},
	}
	magnumStatus = model{
		"reason": nullable{reason}, "state": oneOf("PENDING", "CREATING", "RUNNING", "RECONCILING", "DELETING", "FAILED"),
		"project": nullable{reference}, "template": nullable{str}, "cluster_id": nullable{str}, "node_count": nullable{integer},
		"api_address": nullable{str}, "master_addresses": nullable{list{str}}, "node_addresses": nullable{list{str}},
		"cluster": nullable{reference},
	}
)

// documents are all that an old client reads, by name.
var documents = allDocuments()

func allDocuments() map[string]schema {
	all := map[string]schema{"Problem": problem{}}
	for kind, r := range resources {
		resource := model{"api": oneOf(r.group), "kind": oneOf(kind), "metadata": metadata}
		for field, s := range r.fields {
			resource[field] = s
		}
		all[kind] = resource
		all[kind+"List"] = model{"api": oneOf(r.group), "kind": oneOf(kind + "List"), "metadata": object, "items": list{resource}}
		all[kind+"Event"] = model{"type": oneOf("ADDED", "MODIFIED", "DELETED"), "object": resource}
	}
	return all
}

// problem is a problem document (section 1.4): absent keys are left out, and no title is made up.
type problem struct{}

func (problem) check(v any) error {
	fields := model{"type": str, "status": integer, "detail": str}
	if m, ok := v.(map[string]any); ok {
		if _, titled := m["title"]; titled {
			fields["title"] = oneOf("NOT_FOUND_ERROR", "TRANSACTION_ERROR", "UPDATE_ERROR", "INVALID_KEYSTONE_TOKEN",
				"INVALID_KEYCLOAK_TOKEN", "RESOURCE_ALREADY_EXISTS")
		}
	}
	return fields.check(v)
}

func (problem) strip(v any) any { return v }
