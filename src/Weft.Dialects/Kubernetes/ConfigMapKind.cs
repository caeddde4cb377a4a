// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Istio;
using Weft.Dialects.Reading;
using Weft.Model.Diagnostics;
using Weft.Model.World;

namespace Weft.Dialects.Kubernetes;

/// <summary>ConfigMap: texts by key.</summary>
public static class ConfigMapKind
{
    private const int MaxKey = 253;

    internal static ParsedContent Parse(ObjectContext context)
    {
        var root = context.Root;
        MeshConfigSpec? mesh = null;
        foreach (var (key, value) in root.Map("data"))
        {
            CheckKey(key, value, "data");
            if (value.AsText() is { } text && key == "mesh" && HoldsMesh(context.Metadata.Namespace, context.Metadata.Name))
            {
                if (ProxyConfigs.ProblemOf(text) is { } problem)
                {
                    value.Report(KubernetesMessages.BadMeshConfig, value.Path, problem);
                }

                mesh = MeshConfigs.Read(value);
            }
        }

        foreach (var (key, value) in root.Map("binaryData"))
        {
            CheckKey(key, value, "binaryData");
            CheckBase64(value);
            if (root.Map("data").Any(pair => string.Equals(pair.Key, key, StringComparison.Ordinal)))
            {
                root.Findings.Add(ReadingMessages.ConflictingFields, value.KeyPlace, $"data.{key}", $"binaryData.{key}", root.Title);
            }
        }

        root.Boolean("immutable");
        root.Finish(KubernetesMessages.UnknownKubernetesField);
        return mesh is null ? ParsedContent.Nothing : new ParsedContent(Mesh: mesh);
    }

    /// <summary>True for the object in which Istio keeps the mesh's configuration, under the key <c>mesh</c>.</summary>
    public static bool HoldsMesh(string ns, string name) => name == "istio" && ns == MeshSettings.Default.RootNamespace;

    internal static void CheckKey(string key, Field value, string field)
    {
        var isValid = key.Length is > 0 and <= MaxKey && key is not ("." or "..");
        foreach (var c in key)
        {
            isValid &= char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.';
        }

        if (!isValid)
        {
            value.Findings.Add(KubernetesMessages.BadConfigKey, value.KeyPlace, key, field);
        }
    }

    internal static void CheckBase64(Field value)
    {
        if (value.AsText() is { } text && !System.Buffers.Text.Base64.IsValid(text))
        {
            value.Report(KubernetesMessages.NotBase64, value.Path);
        }
    }
}
