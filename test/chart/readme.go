package chart

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"gopkg.in/yaml.v3"
)

// ValuesTable is the table of the chart's values for its README.md, made of
// values.yaml: every key under a comment that begins with `# --`, as helm-docs
// reads it.
func ValuesTable() (string, error) {
	text, err := os.ReadFile(filepath.Join(Dir(), "values.yaml"))
	if err != nil {
		return "", err
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return "", fmt.Errorf("reading values.yaml: %w", err)
	}
	var b strings.Builder
	b.WriteString("| Key | Default | What it does |\n| --- | --- | --- |\n")
	if err := rows(&b, "", document.Content[0]); err != nil {
		return "", err
	}
	return b.String(), nil
}

func rows(b *strings.Builder, prefix string, mapping *yaml.Node) error {
	for i := 0; i < len(mapping.Content); i += 2 {
		key, value := mapping.Content[i], mapping.Content[i+1]
		path := prefix + key.Value
		comment, documented := strings.CutPrefix(strings.ReplaceAll(key.HeadComment, "\n# ", " "), "# -- ")
		switch {
		case documented:
			setting, err := inline(value)
			if err != nil {
				return err
			}
			fmt.Fprintf(b, "| `%s` | `%s` | %s |\n", path, setting, comment)
		case value.Kind == yaml.MappingNode && len(value.Content) > 0:
			if err := rows(b, path+".", value); err != nil {
				return err
			}
		default:
			return fmt.Errorf("values.yaml:%d: %s has no comment that begins with `# --`", key.Line, path)
		}
	}
	return nil
}

// inline is a value on one line, without comments.
func inline(value *yaml.Node) (string, error) {
	flow := *value
	flow.Style, flow.HeadComment, flow.LineComment = yaml.FlowStyle, "", ""
	if value.Kind == yaml.ScalarNode {
		flow.Style = value.Style
	}
	text, err := yaml.Marshal(&flow)
	return strings.Join(strings.Fields(string(text)), " "), err
}
