// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.Json.Nodes;
using Weft.Kubernetes;
using Weft.Local.Network;
using Weft.Local.Processes;

namespace Weft.Local.Agent;

/// <summary>Works out the environment variables of a container.</summary>
internal sealed class ContainerEnvironment(KubernetesClient client, string binFolder)
{
    /// <summary>All variables; throws <see cref="ConfigException"/> when a ConfigMap, Secret or key is missing.</summary>
    public async Task<Dictionary<string, string>> ResolveAsync(PodSpec pod, ContainerSpec container, string podAddress, CancellationToken ct)
    {
        var result = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["PATH"] = binFolder.Length > 0 ? $"{binFolder}:{Programs.SearchPath}" : Programs.SearchPath,
            ["HOME"] = Environment.GetEnvironmentVariable("HOME") ?? "/",
            ["HOSTNAME"] = pod.HostName,
            ["KUBERNETES_SERVICE_HOST"] = NodeNetwork.ApiAddress,
            ["KUBERNETES_SERVICE_PORT"] = "443",
            ["KUBERNETES_SERVICE_PORT_HTTPS"] = "443",
        };
        foreach (var source in container.Source.Objects("envFrom"))
        {
            await AddAllAsync(result, pod, source, ct);
        }

        foreach (var entry in container.Source.Objects("env"))
        {
            if (entry.Text("name") is not { Length: > 0 } name)
            {
                continue;
            }

            var value = entry["valueFrom"] is JsonObject from
                ? await FromAsync(pod, container, from, podAddress, ct)
                : Expand(entry.Text("value") ?? "", result);
            if (value is not null)
            {
                result[name] = value;
            }
        }

        return result;
    }

    /// <summary>Fills in <c>$(NAME)</c>; <c>$$(NAME)</c> is the escaped form; unknown names stay as they are.</summary>
    public static string Expand(string text, IReadOnlyDictionary<string, string> variables)
    {
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '$' || i + 1 >= text.Length)
            {
                result.Append(text[i]);
            }
            else if (text[i + 1] == '$')
            {
                result.Append('$');
                i++;
            }
            else if (text[i + 1] == '(' && text.IndexOf(')', i) is var end and > 0
                && variables.TryGetValue(text[(i + 2)..end], out var value))
            {
                result.Append(value);
                i = end;
            }
            else
            {
                result.Append('$');
            }
        }

        return result.ToString();
    }

    private async Task AddAllAsync(Dictionary<string, string> result, PodSpec pod, JsonObject source, CancellationToken ct)
    {
        var prefix = source.Text("prefix") ?? "";
        foreach (var (field, kind) in new[] { ("configMapRef", Kinds.ConfigMap), ("secretRef", Kinds.Secret) })
        {
            if (source[field] is JsonObject reference
                && await FetchAsync(kind, pod, reference, ct) is { } found)
            {
                foreach (var (key, value) in Entries(kind, found))
                {
                    result[prefix + key] = Encoding.UTF8.GetString(value);
                }
            }
        }
    }

    private async Task<string?> FromAsync(PodSpec pod, ContainerSpec container, JsonObject from, string podAddress, CancellationToken ct)
    {
        if (from.Text("fieldRef", "fieldPath") is { } path)
        {
            return DownwardField.Read(pod, path, podAddress) ?? throw new ConfigException($"unsupported fieldPath: {path}");
        }

        foreach (var (field, kind) in new[] { ("configMapKeyRef", Kinds.ConfigMap), ("secretKeyRef", Kinds.Secret) })
        {
            if (from[field] is not JsonObject reference)
            {
                continue;
            }

            var key = reference.Text("key") ?? "";
            var found = await FetchAsync(kind, pod, reference, ct);
            if (found is not null && Entries(kind, found).TryGetValue(key, out var value))
            {
                return Encoding.UTF8.GetString(value);
            }

            return reference.Flag("optional") == true
                ? null
                : throw new ConfigException($"couldn't find key {key} in {kind.Kind} {pod.Namespace}/{reference.Text("name")}");
        }

        if (from["resourceFieldRef"] is JsonObject resource)
        {
            var of = resource.Text("containerName") is { Length: > 0 } name
                ? pod.Containers.Concat(pod.InitContainers).FirstOrDefault(c => c.Name == name)
                    ?? throw new ConfigException($"container {name} not found")
                : container;
            return DownwardField.ReadResource(of, resource) ?? throw new ConfigException($"unsupported container resource : {resource.Text("resource")}");
        }

        throw new ConfigException("a variable has a source that is not supported here; these are: fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef");
    }

    /// <summary>The object referred to; null if it is missing and may be.</summary>
    internal async Task<JsonObject?> FetchAsync(ResourceKind kind, PodSpec pod, JsonObject reference, CancellationToken ct)
    {
        var name = reference.Text("name") ?? reference.Text("secretName") ?? "";
        try
        {
            return await client.GetAsync(kind, pod.Namespace, name, ct);
        }
        catch (KubernetesException e) when (e.IsNotFound)
        {
            return reference.Flag("optional") == true ? null : throw new ConfigException($"{kind.Kind.ToLowerInvariant()} \"{name}\" not found");
        }
    }

    /// <summary>The entries of a ConfigMap or Secret, as bytes.</summary>
    internal static Dictionary<string, byte[]> Entries(ResourceKind kind, JsonObject source)
    {
        var entries = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        var encoded = kind == Kinds.Secret ? "data" : "binaryData";
        var plain = kind == Kinds.Secret ? "stringData" : "data";
        foreach (var (key, value) in source.TextMap(encoded))
        {
            try
            {
                entries[key] = Convert.FromBase64String(value);
            }
            catch (FormatException)
            {
                throw new ConfigException($"{kind.Kind} {source.Namespace()}/{source.Name()} has an entry {key} that is not base64");
            }
        }

        foreach (var (key, value) in source.TextMap(plain))
        {
            entries[key] = Encoding.UTF8.GetBytes(value);
        }

        return entries;
    }
}

/// <summary>A container refers to something that is missing; it waits with this message until it is there.</summary>
internal sealed class ConfigException(string message) : Exception(message);
