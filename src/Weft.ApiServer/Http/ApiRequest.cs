// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Weft.ApiServer.Custom;
using Weft.ApiServer.Resources;
using Weft.ApiServer.Security;

namespace Weft.ApiServer.Http;

/// <summary>One request for stored objects, its path taken apart.</summary>
public sealed class ApiRequest(HttpContext context, ResourceDefinition resource, string version)
{
    private readonly List<string> _warnings = [];

    public HttpContext Context { get; } = context;

    public ResourceDefinition Resource { get; } = resource;

    /// <summary>The version in the path; answers are given in it.</summary>
    public string Version { get; } = version;

    /// <summary>Empty for cluster-wide kinds and for requests across namespaces.</summary>
    public string Namespace { get; init; } = "";

    public string? Name { get; init; }

    public string? Subresource { get; init; }

    /// <summary>The old form of a watch, <c>/api/v1/watch/…</c>.</summary>
    public bool PathWatches { get; init; }

    public bool IsWatch => PathWatches || (Query("watch") is not null && QueryFlag("watch"));

    public UserIdentity User { get; init; } = UserIdentity.Anonymous;

    public IReadOnlyCollection<string> Warnings => _warnings;

    public CancellationToken Aborted => Context.RequestAborted;

    public bool IsDryRun => Query("dryRun") is "All";

    /// <summary>True for server-side apply, which says itself who owns what.</summary>
    public bool IsApply => Context.Request.ContentType?.StartsWith("application/apply-patch", StringComparison.Ordinal) ?? false;

    public string ApiVersion => Resource.ApiVersion(Version);

    /// <summary>Warnings go out with the answer.</summary>
    public void Warn(IEnumerable<string> warnings) => _warnings.AddRange(warnings);

    public void ForgetWarnings() => _warnings.Clear();

    public string? Query(string name) => Context.Request.Query.TryGetValue(name, out var values) ? values[0] : null;

    public bool QueryFlag(string name) => Query(name) is "true" or "1" or "";

    /// <summary>Objects have other fields in this version than they have in the store.</summary>
    public bool SeesOtherShape => AutoscalerVersions.Differ(Resource, Version) || EventVersions.Differ(Resource);

    /// <summary>Objects are shown to this request just as they are stored.</summary>
    public bool SeesStored => Resource.CustomVersions is null && string.Equals(ApiVersion, Resource.StorageApiVersion, StringComparison.Ordinal);

    /// <summary>The tree as the client of this request shall see it.</summary>
    public JsonObject View(JsonObject stored)
    {
        if (!string.Equals(stored.Text("apiVersion"), ApiVersion, StringComparison.Ordinal))
        {
            stored["apiVersion"] = ApiVersion;
        }

        if (AutoscalerVersions.Differ(Resource, Version))
        {
            AutoscalerVersions.ToFirst(stored);
        }

        if (EventVersions.Differ(Resource))
        {
            EventVersions.ToShown(stored);
        }

        if (CustomObjects.VersionOf(Resource, Version) is { } version)
        {
            CustomObjects.Show(version, stored);
        }

        return stored;
    }
}
