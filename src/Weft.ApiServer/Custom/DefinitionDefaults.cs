// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Defaults;
using Weft.ApiServer.Http;

namespace Weft.ApiServer.Custom;

/// <summary>What a CustomResourceDefinition means when it does not say.</summary>
internal static class DefinitionDefaults
{
    public static void Apply(JsonObject tree)
    {
        var spec = tree.Child("spec");
        spec.Child("conversion").Missing("strategy", "None");
        var names = spec.Child("names");
        if (names.Text("kind") is not { Length: > 0 } kind)
        {
            return;
        }

        names.Missing("singular", kind.ToLowerInvariant());
        names.Missing("listKind", kind + "List");
    }
}
