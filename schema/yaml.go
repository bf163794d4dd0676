package schema

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// node is a piece of parsed YAML. This file is the only one that knows which
// library made it.
type node = yaml.Node

// yamlStyle is how a node is written.
type yamlStyle = yaml.Style

// What the rest of the package needs to know of a node.
const (
	mappingNode  = yaml.MappingNode
	sequenceNode = yaml.SequenceNode
	scalarNode   = yaml.ScalarNode
	aliasNode    = yaml.AliasNode

	taggedStyle       = yaml.TaggedStyle
	doubleQuotedStyle = yaml.DoubleQuotedStyle
	singleQuotedStyle = yaml.SingleQuotedStyle
	flowStyle         = yaml.FlowStyle
	quotedStyles      = doubleQuotedStyle | singleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle
	blockScalarStyles = yaml.LiteralStyle | yaml.FoldedStyle

	stringTag    = "!!str"
	intTag       = "!!int"
	boolTag      = "!!bool"
	nullTag      = "!!null"
	mergeTag     = "!!merge"
	timestampTag = "!!timestamp"
)

// A syntaxError is a text that is not one document of YAML.
type syntaxError struct {
	line    int // 0: not known
	message string
}

func (e *syntaxError) Error() string { return e.message }

// parseYAML reads the one document of a file and returns its root, nil where
// there is none. Aliases are not followed, so the time and the memory that it
// takes grow with the text alone.
func parseYAML(data []byte) (root *node, err *syntaxError) {
	// The library reports some broken texts by a panic; a server that reads what
	// strangers push does not end for that.
	defer func() {
		if r := recover(); r != nil {
			root, err = nil, &syntaxError{message: fmt.Sprintf("not YAML: %v", r)}
		}
	}()
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, asSyntaxError(data, err)
	}
	switch err := dec.Decode(&second); {
	case err == nil:
		return nil, &syntaxError{line: second.Line, message: "a second document: a file holds one"}
	case !errors.Is(err, io.EOF):
		return nil, asSyntaxError(data, err)
	}
	return doc.Content[0], nil
}

var (
	yamlError     = regexp.MustCompile(`(?s)^yaml: (?:line (\d+): )?(.*)$`)
	unknownAnchor = regexp.MustCompile(`unknown anchor '([^']*)'`)
)

// conflict finds what git leaves where two sides contradict each other.
var conflict = regexp.MustCompile(`(?m)^<{7,} .*\n(?s:.*?)^={7,}\r?$(?s:.*?)^>{7,} `)

func asSyntaxError(data []byte, err error) *syntaxError {
	if at := conflict.FindIndex(data); at != nil {
		return &syntaxError{line: 1 + bytes.Count(data[:at[0]], []byte("\n")),
			message: "two sides of a merge contradict each other from here on: decide between the marks, then git add the file"}
	}
	m := yamlError.FindStringSubmatch(err.Error())
	if m == nil {
		return &syntaxError{message: "not YAML: " + quoteless(err.Error())}
	}
	e := &syntaxError{message: "not YAML: " + quoteless(m[2])}
	e.line, _ = strconv.Atoi(m[1])
	if a := unknownAnchor.FindStringSubmatch(m[2]); a != nil {
		if at := bytes.Index(data, []byte("*"+a[1])); at >= 0 {
			e.line = 1 + bytes.Count(data[:at], []byte("\n"))
		}
	} else if e.line == 0 {
		e.line = 1 // the library leaves out the line where it is the first
	}
	if strings.Contains(m[2], "incompatible YAML document") {
		e.message += " (leave out the line with %YAML)"
	}
	if strings.Contains(m[2], "cannot start any token") && bytes.Contains(data, []byte("\t")) {
		e.message += " (indent with blanks, not with tabs)"
	}
	return e
}

// resolvesToString says whether a plain scalar with this text is a string to
// every reader of YAML 1.1 and 1.2, so that it needs no quotes.
func resolvesToString(text string) bool {
	var doc node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil || len(doc.Content) != 1 {
		return false
	}
	n := doc.Content[0]
	return n.Kind == scalarNode && n.Style == 0 && n.Tag == stringTag && n.Value == text && !oldBoolean(text)
}

// oldBoolean says whether a text is a boolean in YAML 1.1, which half of the
// tools still read, and a string in 1.2.
func oldBoolean(text string) bool {
	switch strings.ToLower(text) {
	case "y", "n", "yes", "no", "on", "off":
		return true
	}
	return false
}
