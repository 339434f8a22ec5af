package scenario

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"strconv"
	"strings"
)

// parseSeries reads values over time: items separated by commas, each of which lasts for one step or for as many as follow
// an x. The last one goes on.
//
//	0.5            a value
//	0.5 ~0.1       with noise of at most this much, drawn from the seed
//	0.1..0.9 x10   from one value to another in so many steps
//	gap x3         no answer
//	(0.4, 0.6) x9  what is in the brackets, so many times
func parseSeries(text string, seed uint64, name string) (Series, error) {
	items, err := splitSeries(text)
	if err != nil {
		return nil, err
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	random := rand.New(rand.NewPCG(seed, h.Sum64()))
	var all []reading
	for _, item := range items {
		more, err := parseItem(item, random)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", item, err)
		}
		all = append(all, more...)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("there are no values in %q", text)
	}
	return func(step int) (float64, bool) {
		r := all[min(step, len(all)-1)]
		return r.value, !r.gap
	}, nil
}

type reading struct {
	value float64
	gap   bool
}

// splitSeries splits at the commas that are not in brackets.
func splitSeries(text string) ([]string, error) {
	var items []string
	depth, begin := 0, 0
	for i, c := range text {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		case ',':
			if depth == 0 {
				items, begin = append(items, strings.TrimSpace(text[begin:i])), i+1
			}
		}
		if depth < 0 {
			break
		}
	}
	if depth != 0 {
		return nil, fmt.Errorf("the brackets in %q do not match", text)
	}
	return append(items, strings.TrimSpace(text[begin:])), nil
}

func parseItem(item string, random *rand.Rand) ([]reading, error) {
	times := 1
	if i := strings.LastIndex(item, " x"); i >= 0 && !strings.HasSuffix(item, ")") {
		n, err := strconv.Atoi(item[i+2:])
		if err != nil || n < 1 {
			return nil, fmt.Errorf("%q is no number of steps", item[i+2:])
		}
		item, times = strings.TrimSpace(item[:i]), n
	}
	var out []reading
	switch from, to, ramp := strings.Cut(item, ".."); {
	case item == "gap":
		for range times {
			out = append(out, reading{gap: true})
		}
	case strings.HasPrefix(item, "("):
		inner, err := splitSeries(strings.TrimSuffix(item[1:], ")"))
		if err != nil {
			return nil, err
		}
		for range times {
			for _, i := range inner {
				more, err := parseItem(i, random)
				if err != nil {
					return nil, err
				}
				out = append(out, more...)
			}
		}
	case ramp:
		a, errA := strconv.ParseFloat(from, 64)
		b, errB := strconv.ParseFloat(to, 64)
		if errA != nil || errB != nil {
			return nil, fmt.Errorf("not two numbers")
		}
		for i := range times {
			out = append(out, reading{value: a + (b-a)*float64(i+1)/float64(times)})
		}
	default:
		text, noise, noisy := strings.Cut(item, " ~")
		value, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil {
			return nil, fmt.Errorf("neither a number nor gap")
		}
		spread := 0.0
		if noisy {
			if spread, err = strconv.ParseFloat(noise, 64); err != nil {
				return nil, fmt.Errorf("%q is no amount of noise", noise)
			}
		}
		for range times {
			out = append(out, reading{value: value + spread*(2*random.Float64()-1)})
		}
	}
	return out, nil
}
