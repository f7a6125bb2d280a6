package nvml

import (
	"errors"
	"fmt"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestCodeError(t *testing.T) {
	assert.Equal(t, "ERROR_GPU_IS_LOST", CodeGPUIsLost.Error())
	assert.Equal(t, "ERROR_UNKNOWN", Code(999).Error())
	assert.Equal(t, "ERROR_LIB_RM_VERSION_MISMATCH", Code(18).Error())
	assert.Equal(t, "SUCCESS", CodeSuccess.Error())
	assert.Equal(t, "ERROR_4711", Code(4711).Error())
	for code := range codeNames {
		assert.NotContains(t, code.Error(), strconv.Itoa(int(code)))
	}
	assert.Len(t, codeNames, 32)
}

func TestCodeOf(t *testing.T) {
	assert.Equal(t, CodeSuccess, CodeOf(nil))
	assert.Equal(t, CodeNoData, CodeOf(CodeNoData))
	assert.Equal(t, CodeNoData, CodeOf(fmt.Errorf("in vain: %w", CodeNoData)))
	assert.Equal(t, CodeUnknown, CodeOf(errors.New("something else")))
}

// The groups are those that package nvml documents.
func TestPredicates(t *testing.T) {
	predicates := map[string]func(error) bool{
		"unsupported": IsUnsupported, "permission": IsNoPermission, "no data": IsNoData,
		"lost": IsLost, "library": IsLibrary, "timeout": IsTimeout,
	}
	groups := map[Code]string{
		3: "unsupported", 13: "unsupported", 25: "unsupported", 26: "unsupported",
		4: "permission",
		6: "no data", 21: "no data",
		15: "lost", 16: "lost",
		1: "library", 9: "library", 18: "library", 999: "library",
		10: "timeout",
	}
	for code := range codeNames {
		for name, is := range predicates {
			assert.Equal(t, groups[code] == name, is(code), "%v is %s", code, name)
			assert.Equal(t, groups[code] == name, is(fmt.Errorf("wrapped: %w", code)), "%v is %s", code, name)
		}
	}
	for name, is := range predicates {
		assert.False(t, is(nil), name)
		assert.False(t, is(ErrNotInBuild), name)
	}
}
