// SPDX-License-Identifier: Apache-2.0

using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Cli.Applying;

/// <summary>
/// Applies objects as <c>kubectl apply</c> does: what was applied before stands in an annotation, so that a field that is taken out
/// of a file is taken out of the object, and kubectl can go on where this left off.
/// </summary>
internal sealed class Applier(KubernetesClient client)
{
    internal const string LastApplied = "kubectl.kubernetes.io/last-applied-configuration";

    private const string DefaultNamespace = "default";
    private static readonly JsonSerializerOptions _plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly KindTable _kinds = new(client);

    /// <summary>Namespaces and definitions first, else in the order given.</summary>
    public static IEnumerable<ManifestEntry> InOrder(IEnumerable<ManifestEntry> objects) =>
        objects.OrderBy(item => item.Source.Kind() is "Namespace" or "CustomResourceDefinition" ? 0 : 1);

    public async Task<Outcome> ApplyAsync(JsonObject source, CancellationToken ct)
    {
        var kind = await _kinds.FindAsync(source, ct);
        var ns = kind.Namespaced ? source.Namespace() is { Length: > 0 } named ? named : DefaultNamespace : null;
        var wanted = WithLastApplied(source, ns);
        JsonObject present;
        try
        {
            present = await client.GetAsync(kind, ns, source.Name(), ct);
        }
        catch (KubernetesException missing) when (missing.IsNotFound)
        {
            await client.CreateAsync(kind, ns, wanted, ct);
            return Outcome.Created;
        }

        var changed = await client.PatchAsync(kind, ns, source.Name(), PatchFor(wanted, present), ct);
        return changed.ResourceVersion() == present.ResourceVersion() ? Outcome.Unchanged : Outcome.Configured;
    }

    /// <summary>What was applied before and is no longer wanted becomes null; the rest is what is wanted.</summary>
    internal static JsonObject PatchFor(JsonObject wanted, JsonObject present)
    {
        var patch = (JsonObject)wanted.DeepClone();
        if (present.Annotation(LastApplied) is { } text && ParseLastApplied(text) is { } before)
        {
            MarkRemoved(patch, before);
        }

        return patch;
    }

    internal static JsonObject WithLastApplied(JsonObject source, string? ns)
    {
        var wanted = (JsonObject)source.DeepClone();
        if (wanted["metadata"] is not JsonObject metadata)
        {
            wanted["metadata"] = metadata = [];
        }

        if (ns is not null)
        {
            metadata["namespace"] = ns;
        }

        if (metadata["annotations"] is not JsonObject annotations)
        {
            metadata["annotations"] = annotations = [];
        }

        annotations.Remove(LastApplied);
        annotations[LastApplied] = AsKubectlWrites(wanted);
        return wanted;
    }

    /// <summary>Byte for byte what kubectl would write, or its next apply of the same file would find a difference.</summary>
    private static string AsKubectlWrites(JsonObject source) => Sorted(source)!.ToJsonString(_plain)
        .Replace("<", "\\u003c", StringComparison.Ordinal)
        .Replace(">", "\\u003e", StringComparison.Ordinal)
        .Replace("&", "\\u0026", StringComparison.Ordinal) + "\n";

    private static JsonNode? Sorted(JsonNode? node) => node switch
    {
        JsonObject map => new JsonObject(map.OrderBy(field => field.Key, StringComparer.Ordinal).Select(field => KeyValuePair.Create(field.Key, Sorted(field.Value)))),
        JsonArray list => new JsonArray([.. list.Select(Sorted)]),
        _ => node?.DeepClone(),
    };

    private static JsonObject? ParseLastApplied(string text)
    {
        try
        {
            return JsonNode.Parse(text) as JsonObject;
        }
        catch (JsonException)
        {
            // Somebody wrote nonsense there; without it nothing can be taken out, which is what kubectl does too.
            return null;
        }
    }

    private static void MarkRemoved(JsonObject patch, JsonObject before)
    {
        foreach (var (name, value) in before)
        {
            if (!patch.TryGetPropertyValue(name, out var next))
            {
                patch[name] = null;
            }
            else if (value is JsonObject old && next is JsonObject map)
            {
                MarkRemoved(map, old);
            }
        }
    }
}

/// <summary>What became of an applied object.</summary>
internal enum Outcome
{
    Created,
    Configured,
    Unchanged,
}
