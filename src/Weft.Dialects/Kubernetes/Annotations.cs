// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Dialects.Reading;
using Weft.Dialects.Yaml;
using Weft.Model.Diagnostics;

namespace Weft.Dialects.Kubernetes;

/// <summary>
/// Reads the annotations of an object by name and type. What cannot be read is a warning and counts as absent, since an object of
/// Kubernetes must not be refused for them.
/// </summary>
internal sealed class Annotations(ObjectContext context)
{
    private const int MsPerDay = 24 * 3_600_000;

    private readonly IReadOnlyList<KeyValuePair<string, Field>> _all =
        context.Root.Child("metadata")?.Map("annotations") ?? [];

    /// <summary>Where an annotation stands.</summary>
    public Origin OriginOf(string key) => context.Findings.At(Find(key)!.Value.Place);

    public bool Has(string key) => Find(key) is not null;

    /// <summary>The value without blanks around it; null if the annotation is absent or empty.</summary>
    public string? Text(string key) =>
        Find(key)?.Value is YamlScalar { Kind: ScalarKind.Text, Value: var text } && !string.IsNullOrWhiteSpace(text) ? text.Trim() : null;

    public void Reject(string key, string reason) =>
        Find(key)!.Value.Report(KubernetesMessages.BadAnnotation, Text(key) ?? "", key, reason);

    public void NotSupported(string key)
    {
        if (Find(key) is { } field)
        {
            context.Findings.Add(KubernetesMessages.AnnotationNotSupported, field.KeyPlace, key);
        }
    }

    public int? Integer(string key, int minimum, int maximum)
    {
        if (Text(key) is not { } text)
        {
            return null;
        }

        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= minimum && number <= maximum)
        {
            return number;
        }

        Reject(key, $"a whole number from {minimum} to {maximum} is expected");
        return null;
    }

    /// <summary>Durations as in all dialects, and Linkerd's days.</summary>
    public int? DurationMs(string key, int minimumMs)
    {
        if (Text(key) is not { } text)
        {
            return null;
        }

        if (TryDuration(text, minimumMs, out var ms, out var reason))
        {
            return ms;
        }

        Reject(key, reason);
        return null;
    }

    public static bool TryDuration(string text, int minimumMs, out int ms, out string reason)
    {
        if (text.EndsWith('d') && int.TryParse(text.AsSpan()[..^1], NumberStyles.None, CultureInfo.InvariantCulture, out var days)
            && days <= int.MaxValue / MsPerDay)
        {
            (ms, reason) = (days * MsPerDay, $"it is shorter than {minimumMs}ms");
            return ms >= minimumMs;
        }

        return Durations.TryParse(text, minimumMs, out ms, out reason);
    }

    private Field? Find(string key)
    {
        foreach (var (name, field) in _all)
        {
            if (string.Equals(name, key, StringComparison.Ordinal))
            {
                return field;
            }
        }

        return null;
    }
}
