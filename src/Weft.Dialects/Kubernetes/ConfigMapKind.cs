// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;
using Weft.Model.Diagnostics;

namespace Weft.Dialects.Kubernetes;

/// <summary>ConfigMap: texts by key.</summary>
internal static class ConfigMapKind
{
    private const int MaxKey = 253;

    public static ParsedContent Parse(ObjectContext context)
    {
        var root = context.Root;
        foreach (var (key, value) in root.Map("data"))
        {
            CheckKey(key, value, "data");
            value.AsText();
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
        return ParsedContent.Nothing;
    }

    public static void CheckKey(string key, Field value, string field)
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

    public static void CheckBase64(Field value)
    {
        if (value.AsText() is { } text && !System.Buffers.Text.Base64.IsValid(text))
        {
            value.Report(KubernetesMessages.NotBase64, value.Path);
        }
    }
}
