package openapi

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/rak-n-rok/krake/api"
)

// Document returns the OpenAPI document of a version of the server.
func Document(version string) ([]byte, error) {
	d := &document{schemas: schemas{}, paths: object{}}
	for _, k := range api.Kinds {
		d.kind(k)
	}
	d.fixed()
	return json.Marshal(object{
		"openapi": "3.1.0",
		"info": object{
			"title": "Krake", "version": version,
			"description": "One API over many Kubernetes clusters and clouds. Paths, documents and status codes are those of the Python Krake; what was added is marked.",
		},
		"tags":       d.tags,
		"paths":      d.paths,
		"components": object{"schemas": d.schemas, "parameters": parameters, "responses": responses},
	})
}

type document struct {
	schemas schemas
	paths   object
	tags    []object
}

// parameters are those that several operations have.
var parameters = object{
	"namespace":     inPath("namespace"),
	"name":          inPath("name"),
	"strict":        inQuery("strict", "boolean", "Refuse keys that are not known, instead of dropping them."),
	"dryRun":        inQuery("dry_run", "boolean", "Check everything, answer as if, and write nothing."),
	"view":          inQuery("view", "string", "metadata shows api, kind and metadata alone."),
	"watch":         inQuery("watch", "string", "With any value: a line of JSON for every change from now on, instead of a list."),
	"heartbeat":     inQuery("heartbeat", "integer", "Seconds between two empty lines of a watch; 0 for none, 10 if not given."),
	"version":       inQuery("resource_version", "string", "Of a watch: resume after this version or cursor. Of a read: 0 answers with what is known at once."),
	"limit":         inQuery("limit", "integer", "At most so many objects; 0 for all."),
	"continue":      inQuery("continue", "string", "The next page: metadata.continue of the one before."),
	"labelSelector": repeated("label_selector", "A label constraint that the objects must fulfil. May be given several times."),
	"fieldSelector": repeated("field_selector", "FIELD=VALUE or FIELD!=VALUE that must be so. May be given several times."),
	"force":         inQuery("force", "string", "True removes the record at once, whoever still has work to do."),
	"cascade":       inQuery("cascade", "boolean", "Nobody has named the object: it goes because its owners do."),
	"explain":       inQuery("explain", "boolean", "Tell in explanation what would be decided now, why, and what would change it."),
	"blocking":      inQuery("blocking", "string", "Answer when the object has reached this state, or after a minute."),

	api.Evacuate.Parameter():      inQuery("evacuate", "boolean", "Applications move away first. Those that cannot hold the deletion; asked for again without this, it is carried out as usual."),
	api.KeepWorkloads.Parameter(): inQuery("keep_workloads", "boolean", "Records go; what applications have on clusters stays there."),

	"ifMatch": object{"name": "If-Match", "in": "header", "schema": object{"type": "string"},
		"description": "The version that the object must have; otherwise 409."},
}

func inPath(name string) object {
	return object{"name": name, "in": "path", "required": true, "schema": object{"type": "string"}}
}

func inQuery(name, kind, text string) object {
	return object{"name": name, "in": "query", "schema": object{"type": kind}, "description": text}
}

func repeated(name, text string) object {
	return object{"name": name, "in": "query", "explode": true, "description": text,
		"schema": object{"type": "array", "items": object{"type": "string"}}}
}

// responses are the answers that are not about one kind.
var responses = object{
	"problem": object{
		"description": "What is wrong, as a problem document (RFC 7807).",
		"content":     object{"application/problem+json": object{"schema": reference("Problem")}},
	},
}

func reference(schema string) object { return object{"$ref": "#/components/schemas/" + schema} }

func parameter(name string) object { return object{"$ref": "#/components/parameters/" + name} }

// kind adds all paths of a kind.
func (d *document) kind(k *api.Kind) {
	d.schemas.of(reflect.TypeOf(k.New()).Elem())
	d.list(k)
	d.tags = append(d.tags, object{"name": k.Name, "description": descriptions[k.Name]})
	collection, scope := "/"+k.Group+"/"+k.Plural, []object{}
	if k.Namespaced {
		d.add(collection, "get", d.listing(k, "listAll", "List the objects of all namespaces, or watch them."), nil)
		collection, scope = "/"+k.Group+"/namespaces/{namespace}/"+k.Plural, []object{parameter("namespace")}
	}
	d.add(collection, "get", d.listing(k, "list", "List the objects, or watch them."), scope)
	d.add(collection, "post", d.operation(k, "create", "Create an object.", reference(k.Name), reference(k.Name), blocking(k, "strict", "dryRun")...), scope)
	path, scope := collection+"/{name}", append(scope, parameter("name"))
	d.add(path, "get", d.operation(k, "get", "Read an object.", nil, reference(k.Name), "view", "version"), scope)
	d.add(path, "put", d.operation(k, "update", "Replace an object, all but its status.", reference(k.Name), reference(k.Name), "strict", "dryRun", "ifMatch"), scope)
	d.add(path, "patch", d.operation(k, "patch", "Change an object by a merge patch (RFC 7396).", object{"type": "object"}, reference(k.Name), "strict", "dryRun", "ifMatch"), scope)
	deletion := blocking(k, "dryRun", "ifMatch", "cascade")
	if k.Force {
		deletion = append(deletion, "force")
	}
	for _, way := range k.Deletions {
		deletion = append(deletion, way.Parameter())
	}
	d.add(path, "delete", d.operation(k, "delete", "Ask for the deletion of an object.", nil, reference(k.Name), deletion...), scope)
	if k.Status {
		d.add(path+"/status", "put", d.operation(k, "updateStatus", "Replace the status.", reference(k.Name), reference(k.Name), "strict", "dryRun", "ifMatch"), scope)
		d.add(path+"/status", "patch", d.operation(k, "patchStatus", "Change the status by a merge patch.", object{"type": "object"}, reference(k.Name), "strict", "dryRun", "ifMatch"), scope)
	}
	for _, a := range k.Actions {
		var body object
		if a.New != nil {
			body = d.schemas.of(reflect.TypeOf(a.New()).Elem())
		}
		d.add(path+"/"+a.Name, "put", d.operation(k, a.Name, "The action "+a.Name+".", body, reference(k.Name), "strict", "dryRun", "ifMatch"), scope)
	}
	for _, p := range k.Parts {
		content := d.schemas.of(reflect.TypeOf(p.New()).Elem())
		answer := object{"type": "object", "properties": object{"metadata": object{"type": "object"}, "content": content}}
		var query []string
		if p.Question != "" {
			query = append(query, "explain")
			answer["properties"].(object)["explanation"] = d.schemas.of(reflect.TypeOf(k.Question(p.Question).Answer()).Elem())
		}
		d.add(path+"/"+p.Name, "get", d.operation(k, "get"+titled(p.Name), "Read the part "+p.Name+".", nil, answer, query...), scope)
		d.add(path+"/"+p.Name, "put", d.operation(k, "put"+titled(p.Name), "Replace the part "+p.Name+".", content, answer, "strict", "dryRun", "ifMatch"), scope)
	}
	for _, q := range k.Questions {
		body, answer := d.schemas.of(reflect.TypeOf(q.Body()).Elem()), d.schemas.of(reflect.TypeOf(q.Answer()).Elem())
		d.add("/"+k.Group+"/namespaces/{namespace}/"+q.Name, "post", d.operation(k, "ask"+titled(q.Name), q.Summary, body, answer, "strict"), scope[:1])
	}
	for _, p := range k.Passages {
		d.passage(k, p, path+"/"+p.Name, scope)
	}
}

// passage adds the paths of a way to where an object runs.
func (d *document) passage(k *api.Kind, p api.Passage, path string, scope []object) {
	var answer object
	if p.Answer != nil {
		answer = d.schemas.of(reflect.TypeOf(p.Answer()).Elem())
	}
	op := d.operation(k, p.Name, p.Summary, nil, answer)
	switch {
	case p.Upgrade:
		op["responses"] = object{"101": object{"description": "The WebSocket."}, "default": object{"$ref": "#/components/responses/problem"}}
	case p.Answer == nil:
		op["responses"] = object{
			"200":     object{"description": "The stream.", "content": object{"text/plain": object{"schema": object{"type": "string"}}}},
			"default": object{"$ref": "#/components/responses/problem"},
		}
	}
	var query []object
	for _, parameter := range p.Query {
		if parameter.Type == "array" {
			query = append(query, repeated(parameter.Name, parameter.Text))
		} else {
			query = append(query, inQuery(parameter.Name, parameter.Type, parameter.Text))
		}
	}
	if query != nil {
		op["parameters"] = query
	}
	d.add(path, "get", op, scope)
	if p.Body != nil {
		body := d.schemas.of(reflect.TypeOf(p.Body()).Elem())
		d.add(path, "post", d.operation(k, p.Name+"Draft", p.Summary+" The body says what the object would be.", body, answer, "strict"), scope)
	}
}

func blocking(k *api.Kind, parameters ...string) []string {
	if k.Status && k.Force {
		return append(parameters, "blocking")
	}
	return parameters
}

// list adds the schema of a kind's lists.
func (d *document) list(k *api.Kind) {
	d.schemas[k.Name+"List"] = object{"type": "object", "required": []string{"api", "kind", "metadata", "items"}, "properties": object{
		"api": object{"type": "string"}, "kind": object{"type": "string"},
		"metadata": object{"type": "object", "properties": object{
			"resource_version": object{"type": "string", "description": "A version at which the list is complete."},
			"continue":         object{"type": []string{"string", "null"}, "description": "Asks for the next page, null at the end."},
		}},
		"items": object{"type": "array", "items": reference(k.Name)},
	}}
}

func (d *document) listing(k *api.Kind, id, summary string) object {
	fields := "Fields of field_selector: " + strings.Join(k.SelectableFields(), ", ") + "."
	op := d.operation(k, id, summary, nil, reference(k.Name+"List"), "watch", "heartbeat", "version", "limit", "continue",
		"labelSelector", "fieldSelector", "view")
	op["description"] = fields
	return op
}

// operation describes one; body and answer are schemas, a nil body is none.
func (d *document) operation(k *api.Kind, id, summary string, body, answer object, names ...string) object {
	op := object{
		"operationId": id + k.Name, "summary": summary, "tags": []string{k.Name},
		"responses": object{
			"200":     object{"description": "Done.", "content": object{"application/json": object{"schema": answer}}},
			"default": object{"$ref": "#/components/responses/problem"},
		},
	}
	var used []object
	for _, name := range names {
		used = append(used, parameter(name))
	}
	if len(used) > 0 {
		op["parameters"] = used
	}
	if body != nil {
		op["requestBody"] = object{"required": true, "content": object{"application/json": object{"schema": body}}}
	}
	return op
}

func (d *document) add(path, method string, op object, scope []object) {
	item, ok := d.paths[path].(object)
	if !ok {
		item = object{}
		if len(scope) > 0 {
			item["parameters"] = slices.Clone(scope)
		}
		d.paths[path] = item
	}
	item[method] = op
}

// fixed adds the paths beside the kinds.
func (d *document) fixed() {
	d.schemas.of(reflect.TypeFor[api.Problem]())
	d.tags = append(d.tags, object{"name": "server", "description": "The server itself."})
	texts := map[string]string{
		"/": "The version of the interface.", "/me": "Who the caller is.", "/release": "A greeting.",
		"/installation": "The name of this Krake.", "/version": "The version of the server.", "/healthz": "Whether the process serves.",
		"/readyz": "Whether requests can be served.", "/metrics": "Metrics for Prometheus.", "/snapshot": "A copy of the database.",
		"/openapi.json": "This document.", "/openapi": "This document as a page.",
	}
	for _, path := range slices.Sorted(maps.Keys(texts)) {
		code := "200"
		if path == "/release" {
			code = "202"
		}
		d.paths[path] = object{"get": object{
			"operationId": "server" + titled(strings.Trim(strings.ReplaceAll(path, ".", ""), "/")), "summary": texts[path], "tags": []string{"server"},
			"responses": object{code: object{"description": "Done."}, "default": object{"$ref": "#/components/responses/problem"}},
		}}
	}
}

func titled(word string) string {
	if word == "" {
		return "Root"
	}
	return strings.ToUpper(word[:1]) + word[1:]
}
