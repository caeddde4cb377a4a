// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Cli.Output;
using Weft.Kubernetes;

namespace Weft.Cli.Applying;

/// <summary>Finds how the API names the kind of an object, by asking the API where it is not well known.</summary>
internal sealed class KindTable(KubernetesClient client)
{
    private readonly Dictionary<string, JsonObject> _groups = new(StringComparer.Ordinal);

    public async Task<ResourceKind> FindAsync(JsonObject source, CancellationToken ct)
    {
        var apiVersion = source.Text("apiVersion") ?? "";
        var kind = source.Kind();
        var slash = apiVersion.IndexOf('/', StringComparison.Ordinal);
        var (group, version) = slash < 0 ? ("", apiVersion) : (apiVersion[..slash], apiVersion[(slash + 1)..]);
        if (Kinds.All.FirstOrDefault(known => known.Kind == kind && known.Group == group && known.Version == version) is { } builtIn)
        {
            return builtIn;
        }

        if (!_groups.TryGetValue(apiVersion, out var resources))
        {
            try
            {
                resources = await client.GetPathAsync(slash < 0 ? $"/api/{version}" : $"/apis/{apiVersion}", ct);
            }
            catch (KubernetesException unknown) when (unknown.IsNotFound)
            {
                resources = [];
            }

            _groups[apiVersion] = resources;
        }

        var found = resources.Objects("resources")
            .FirstOrDefault(resource => resource.Text("kind") == kind && resource.Text("name")?.Contains('/', StringComparison.Ordinal) == false);
        return found is null
            ? throw new CommandException(ExitCode.FoundProblems, $"The API serves no kind '{kind}' of '{apiVersion}' ({source.Name()}).")
            : new ResourceKind(group, version, found.Text("name")!, kind, found.Flag("namespaced") == true, kind.ToLowerInvariant(), []);
    }
}
