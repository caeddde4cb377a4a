// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Diagnostics;

namespace Weft.Dialects.Kubernetes;

/// <summary>Secret: bytes by key. Findings never hold the values.</summary>
internal static class SecretKind
{
    public static ParsedContent Parse(ObjectContext context)
    {
        var root = context.Root;
        foreach (var (key, value) in root.Map("data"))
        {
            ConfigMapKind.CheckKey(key, value, "data");
            ConfigMapKind.CheckBase64(value);
        }

        foreach (var (key, value) in root.Map("stringData"))
        {
            ConfigMapKind.CheckKey(key, value, "stringData");
            value.AsText();
        }

        root.Text("type");
        root.Boolean("immutable");
        root.Finish(KubernetesMessages.UnknownKubernetesField);
        return ParsedContent.Nothing;
    }
}
