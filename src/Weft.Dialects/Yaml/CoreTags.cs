// SPDX-License-Identifier: Apache-2.0

using System.Collections.Frozen;

namespace Weft.Dialects.Yaml;

/// <summary>The tags of YAML's core schema; any other would ask for a type that JSON does not have.</summary>
internal static class CoreTags
{
    public const string Text = "tag:yaml.org,2002:str";

    public static FrozenSet<string> Known { get; } = FrozenSet.ToFrozenSet(
        [
            "!",
            Text,
            "tag:yaml.org,2002:int",
            "tag:yaml.org,2002:float",
            "tag:yaml.org,2002:bool",
            "tag:yaml.org,2002:null",
            "tag:yaml.org,2002:map",
            "tag:yaml.org,2002:seq",
        ],
        StringComparer.Ordinal);
}
