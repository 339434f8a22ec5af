package ksql

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// item is an element of an answer in the older form: one array with a header first, then rows, perhaps a message at the end.
//
//	[{"header":{"queryId":"…","schema":"`V` DOUBLE"}},
//	 {"row":{"columns":[0.42]}}]
//
// In the newer form, which is one array as well or a line for each, the header is an object with the names of the columns,
// and rows are arrays.
//
//	{"queryId":"…","columnNames":["V"],"columnTypes":["DOUBLE"]}
//	[0.42]
type item struct {
	Header      json.RawMessage `json:"header"`
	ColumnNames []string        `json:"columnNames"`
	Row         *struct {
		Columns []any `json:"columns"`
	} `json:"row"`
	ErrorCode    json.RawMessage `json:"error_code"`
	ErrorMessage any             `json:"errorMessage"`
	FinalMessage any             `json:"finalMessage"`
}

// firstRow returns the columns of the first row of an answer in any form, nil when it has a header and no row.
func firstRow(answer []byte) ([]any, error) {
	items, err := itemsOf(answer)
	if err != nil || len(items) == 0 {
		return nil, errForm
	}
	for i, raw := range items {
		if raw[0] == '[' && i > 0 {
			var columns []any
			return columns, decode(raw, &columns)
		}
		var it item
		if err := decode(raw, &it); err != nil {
			return nil, err
		}
		switch {
		case it.ErrorCode != nil, it.ErrorMessage != nil:
			return nil, errors.New("it refuses the query")
		case it.Row != nil:
			return it.Row.Columns, nil
		case it.Header == nil && it.ColumnNames == nil && it.FinalMessage == nil:
			return nil, errForm
		}
	}
	return nil, nil
}

// itemsOf are the header, the rows and the messages of an answer: the elements of its array, or its lines.
func itemsOf(answer []byte) ([]json.RawMessage, error) {
	if answer = bytes.TrimSpace(answer); bytes.HasPrefix(answer, []byte("[")) {
		var items []json.RawMessage
		err := json.Unmarshal(answer, &items)
		return items, err
	}
	var items []json.RawMessage
	for dec := json.NewDecoder(bytes.NewReader(answer)); ; {
		var raw json.RawMessage
		switch err := dec.Decode(&raw); {
		case errors.Is(err, io.EOF):
			return items, nil
		case err != nil:
			return nil, err
		}
		items = append(items, raw)
	}
}

// decode reads numbers as they are written, so that none loses its digits, or is out of range, before it is looked at.
func decode(raw []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if dec.Decode(into) != nil {
		return errForm
	}
	return nil
}
