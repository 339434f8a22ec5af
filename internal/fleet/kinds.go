package fleet

import "k8s.io/apimachinery/pkg/runtime/schema"

// The waves of a deployment. What is in one wave is applied at once, and a wave starts when the one before it was
// accepted. Removal goes through them in reverse.
const (
	waveDefinitions = iota // what others are made in or of
	waveSupport            // what others refer to when they start
	waveBindings           // what refers to roles; the API server looks these up
	waveRest               // workloads, custom resources and all that is not named here
	waveAdmission          // what may refuse everything else while its own service is not up
)

var waveOf = map[schema.GroupKind]int{
	{Kind: "Namespace"}: waveDefinitions,
	{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}: waveDefinitions,

	{Kind: "ConfigMap"}:                                              waveSupport,
	{Kind: "LimitRange"}:                                             waveSupport,
	{Kind: "PersistentVolume"}:                                       waveSupport,
	{Kind: "PersistentVolumeClaim"}:                                  waveSupport,
	{Kind: "ResourceQuota"}:                                          waveSupport,
	{Kind: "Secret"}:                                                 waveSupport,
	{Kind: "Service"}:                                                waveSupport,
	{Kind: "ServiceAccount"}:                                         waveSupport,
	{Group: "networking.k8s.io", Kind: "IngressClass"}:               waveSupport,
	{Group: "networking.k8s.io", Kind: "NetworkPolicy"}:              waveSupport,
	{Group: "node.k8s.io", Kind: "RuntimeClass"}:                     waveSupport,
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole"}:        waveSupport,
	{Group: "rbac.authorization.k8s.io", Kind: "Role"}:               waveSupport,
	{Group: "scheduling.k8s.io", Kind: "PriorityClass"}:              waveSupport,
	{Group: "storage.k8s.io", Kind: "StorageClass"}:                  waveSupport,
	{Group: "policy", Kind: "PodDisruptionBudget"}:                   waveSupport,
	{Group: "rbac.authorization.k8s.io", Kind: "RoleBinding"}:        waveBindings,
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRoleBinding"}: waveBindings,

	{Group: "admissionregistration.k8s.io", Kind: "MutatingWebhookConfiguration"}:     waveAdmission,
	{Group: "admissionregistration.k8s.io", Kind: "ValidatingWebhookConfiguration"}:   waveAdmission,
	{Group: "admissionregistration.k8s.io", Kind: "ValidatingAdmissionPolicy"}:        waveAdmission,
	{Group: "admissionregistration.k8s.io", Kind: "ValidatingAdmissionPolicyBinding"}: waveAdmission,
	{Group: "apiregistration.k8s.io", Kind: "APIService"}:                             waveAdmission,
}

func wave(kind schema.GroupKind) int64 {
	if w, ok := waveOf[kind]; ok {
		return int64(w)
	}
	return waveRest
}
