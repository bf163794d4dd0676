package ci_test

import (
	"fmt"
	"strings"

	"github.com/rhysd/actionlint"
)

// scope is what the expressions of a workflow can name: nested maps with strings,
// numbers and booleans in them. A name that is not there is null, as on GitHub;
// a context that is not there is an error, since the tests know no such thing.
type scope map[string]any

// evaluate gives the value of an expression. An operator or function that the
// workflows do not use is an error. state is the job's so far.
func (s scope) evaluate(expression string, state state) (any, error) {
	node, err := actionlint.NewExprParser().Parse(actionlint.NewExprLexer(expression + "}}"))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", expression, err)
	}
	return s.value(node, state)
}

// state is how a job stands before a step.
type state struct{ failed bool }

func (s scope) value(node actionlint.ExprNode, st state) (any, error) {
	switch n := node.(type) {
	case *actionlint.StringNode:
		return n.Value, nil
	case *actionlint.VariableNode:
		if v, ok := s[n.Name]; ok {
			return v, nil
		}
		return nil, fmt.Errorf("the tests know no context %s", n.Name)
	case *actionlint.ObjectDerefNode:
		of, err := s.value(n.Receiver, st)
		if err != nil {
			return nil, err
		}
		switch of := of.(type) {
		case map[string]any:
			return of[n.Property], nil
		case nil:
			return nil, nil
		}
		return nil, fmt.Errorf("nothing has a .%s here", n.Property)
	case *actionlint.FuncCallNode:
		switch {
		case n.Callee == "always" && len(n.Args) == 0:
			return true, nil
		case n.Callee == "success" && len(n.Args) == 0:
			return !st.failed, nil
		}
		return nil, fmt.Errorf("the tests know no function %s", n.Callee)
	case *actionlint.LogicalOpNode:
		left, err := s.value(n.Left, st)
		if err != nil {
			return nil, err
		}
		if n.Kind == actionlint.LogicalOpNodeKindAnd && !truth(left) || n.Kind == actionlint.LogicalOpNodeKindOr && truth(left) {
			return left, nil
		}
		return s.value(n.Right, st)
	case *actionlint.CompareOpNode:
		left, err := s.value(n.Left, st)
		if err != nil {
			return nil, err
		}
		right, err := s.value(n.Right, st)
		if err != nil {
			return nil, err
		}
		l, ok1 := left.(string)
		r, ok2 := right.(string)
		if !ok1 || !ok2 || n.Kind != actionlint.CompareOpNodeKindEq {
			return nil, fmt.Errorf("the tests compare texts for equality, and not %v with %v", left, right)
		}
		return strings.EqualFold(l, r), nil // GitHub ignores case
	}
	return nil, fmt.Errorf("the tests know no %T", node)
}

func truth(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case string:
		return v != ""
	case nil:
		return false
	}
	return true
}

// fill replaces the expressions within a text.
func (s scope) fill(text string, st state) (string, error) {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${{")
		out.WriteString(before)
		if !found {
			return out.String(), nil
		}
		expression, after, found := strings.Cut(rest, "}}")
		if !found {
			return "", fmt.Errorf("an expression has no end: %s", text)
		}
		v, err := s.evaluate(expression, st)
		if err != nil {
			return "", err
		}
		if v != nil {
			fmt.Fprint(&out, v)
		}
		text = after
	}
}

// holds says whether a condition lets a step or job run. One that calls no
// function about the job's state means success() as well.
func (s scope) holds(condition string, st state) (bool, error) {
	if condition == "" {
		return !st.failed, nil
	}
	v, err := s.evaluate(condition, st)
	if err != nil {
		return false, err
	}
	if !strings.Contains(condition, "always()") && st.failed {
		return false, nil
	}
	return truth(v), nil
}
