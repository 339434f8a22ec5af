package constraint

import (
	"math"
	"regexp"
	"strconv"
	"strings"
)

// number is decimal floating point as Python reads it, underscores between digits included, because every finite
// number that the reference accepts must stay valid. It keeps out the rest of what strconv reads: hexadecimal,
// infinities and NaN.
var number = regexp.MustCompile(`\A[+-]?(?:\d+(?:_\d+)*(?:\.(?:\d+(?:_\d+)*)?)?|\.\d+(?:_\d+)*)` +
	`(?:[eE][+-]?\d+(?:_\d+)*)?\z`)

// parseNumber reads the value of a metric constraint. It returns a *NumberError for a text that is a label value, as
// the reference demands, and yet no finite number, and a *PatternError for one that is neither.
func parseNumber(text string) (float64, error) {
	if len(text) <= maxPart && number.MatchString(text) {
		// The only error left is one of range, and then the result is infinite.
		value, _ := strconv.ParseFloat(strings.ReplaceAll(text, "_", ""), 64)
		return finite(value, text)
	}
	if err := CheckValue(text); err != nil {
		return 0, err
	}
	return 0, &NumberError{Text: text}
}

// finite passes finite numbers and turns -0 into 0, so that equal numbers have one canonical text.
func finite(value float64, text string) (float64, error) {
	if math.IsInf(value, 0) || math.IsNaN(value) {
		return 0, &NumberError{Text: text}
	}
	if value == 0 {
		return 0, nil
	}
	return value, nil
}

// formatNumber prints the shortest text that reads back as the same number. Exponents go without a plus sign, which
// makes the text of every number that is not negative readable to the reference, too.
func formatNumber(value float64) string {
	if abs := math.Abs(value); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		return strings.Replace(strconv.FormatFloat(value, 'e', -1, 64), "e+", "e", 1)
	}
	return strconv.FormatFloat(value, 'f', -1, 64)
}
