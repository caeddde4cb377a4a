// SPDX-License-Identifier: Apache-2.0

namespace Weft.Dialects.Yaml;

/// <summary>What a scalar stands for in JSON's terms.</summary>
public enum ScalarKind
{
    Null,
    Boolean,
    Whole,
    Real,
    Text,
}
