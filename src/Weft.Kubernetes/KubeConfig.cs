// SPDX-License-Identifier: Apache-2.0

using System.Security.Cryptography.X509Certificates;
using System.Text;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Weft.Kubernetes;

/// <summary>Reads the file that kubectl reads: which server, which roots, who am I.</summary>
public static class KubeConfig
{
    /// <summary>A larger file is no kubeconfig.</summary>
    public const int MaxBytes = 1024 * 1024;

    /// <summary>The endpoint of the current context, or of the context named.</summary>
    public static KubernetesEndpoint Load(string path, string? context = null)
    {
        var file = new FileInfo(path);
        if (file.Length > MaxBytes)
        {
            throw new KubernetesException($"'{path}' has {file.Length} bytes; a kubeconfig has at most {MaxBytes} ({nameof(KubeConfig)}.{nameof(MaxBytes)}).");
        }

        return Parse(File.ReadAllText(path), path, context);
    }

    /// <param name="text">YAML or JSON.</param>
    /// <param name="path">For messages, and the place that relative file names start from.</param>
    /// <param name="context">Null for the current one.</param>
    public static KubernetesEndpoint Parse(string text, string path, string? context = null)
    {
        var root = Root(text, path);
        var name = context ?? Text(root, "current-context")
            ?? throw new KubernetesException($"'{path}' names no current-context.");
        var chosen = Entry(root, "contexts", name, "context", path);
        var cluster = Entry(root, "clusters", Text(chosen, "cluster") ?? "", "cluster", path);
        var user = Text(chosen, "user") is { } who ? Entry(root, "users", who, "user", path) : new YamlMappingNode();
        var folder = Path.GetDirectoryName(Path.GetFullPath(path)) ?? "/";
        var server = Text(cluster, "server") ?? throw new KubernetesException($"The cluster of context '{name}' in '{path}' has no server.");
        return new KubernetesEndpoint(server)
        {
            Authorities = Pem(cluster, "certificate-authority", folder) is { } roots ? Roots(roots) : null,
            ClientCertificate = Certificate(user, folder),
            BearerToken = Text(user, "token") ?? (Text(user, "tokenFile") is { } file ? File.ReadAllText(Path.Combine(folder, file)).Trim() : null),
        };
    }

    private static YamlMappingNode Root(string text, string path)
    {
        var stream = new YamlStream();
        try
        {
            stream.Load(new StringReader(text));
        }
        catch (YamlException error)
        {
            throw new KubernetesException($"'{path}' line {error.Start.Line}: {error.Message}", error);
        }

        return stream.Documents.Count > 0 && stream.Documents[0].RootNode is YamlMappingNode map
            ? map
            : throw new KubernetesException($"'{path}' is no kubeconfig: it is not a map.");
    }

    private static YamlMappingNode Entry(YamlMappingNode root, string list, string name, string field, string path)
    {
        if (Node(root, list) is YamlSequenceNode entries)
        {
            foreach (var entry in entries.Children.OfType<YamlMappingNode>())
            {
                if (Text(entry, "name") == name && Node(entry, field) is YamlMappingNode found)
                {
                    return found;
                }
            }
        }

        throw new KubernetesException($"'{path}' has no entry '{name}' in '{list}'.");
    }

    private static YamlNode? Node(YamlMappingNode map, string key) =>
        map.Children.TryGetValue(new YamlScalarNode(key), out var node) ? node : null;

    private static string? Text(YamlMappingNode map, string key) =>
        Node(map, key) is YamlScalarNode { Value.Length: > 0 } scalar ? scalar.Value : null;

    private static string? Pem(YamlMappingNode map, string key, string folder)
    {
        if (Text(map, $"{key}-data") is { } encoded)
        {
            return Encoding.UTF8.GetString(Convert.FromBase64String(encoded));
        }

        return Text(map, key) is { } file ? File.ReadAllText(Path.Combine(folder, file)) : null;
    }

    private static X509Certificate2Collection Roots(string pem)
    {
        var roots = new X509Certificate2Collection();
        roots.ImportFromPem(pem);
        return roots;
    }

    private static X509Certificate2? Certificate(YamlMappingNode user, string folder) =>
        Pem(user, "client-certificate", folder) is { } certificate && Pem(user, "client-key", folder) is { } key
            ? X509Certificate2.CreateFromPem(certificate, key)
            : null;
}
