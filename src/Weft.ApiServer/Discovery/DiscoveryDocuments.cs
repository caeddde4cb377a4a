// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Weft.ApiServer.Http;
using Weft.ApiServer.Verbs;

namespace Weft.ApiServer.Discovery;

/// <summary>Answers everything that is not an object: health, version, the lists of kinds, OpenAPI.</summary>
internal sealed class DiscoveryDocuments(ApiServices services, OpenApiDocuments openApi)
{
    /// <summary>This one document is written for people.</summary>
    private static readonly JsonSerializerOptions _indented = new()
    {
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly GroupList _groups = new(services.Catalog);

    /// <summary>False when the path is not one of these documents.</summary>
    public async Task<bool> TryAnswerAsync(HttpContext context, string[] parts)
    {
        if (parts is ["readyz", ..] && services.Store.Trouble is { } trouble)
        {
            await Answer.TextAsync(context, 500, $"[-]store failed: {trouble}\nreadyz check failed\n");
            return true;
        }

        if (parts is ["healthz" or "livez" or "readyz", ..])
        {
            await Answer.TextAsync(context, 200, "ok");
            return true;
        }

        if (parts is ["version"])
        {
            await Answer.BytesAsync(context, 200, "application/json", Encoding.UTF8.GetBytes(Version().ToJsonString(_indented)));
            return true;
        }

        if (parts.Length > 0 && parts[0] is not ("api" or "apis" or "openapi"))
        {
            return false;
        }

        if (Document(context, parts) is { } document)
        {
            await Answer.BytesAsync(context, 200, document.Type, document.Bytes);
            return true;
        }

        return false;
    }

    private (string Type, byte[] Bytes)? Document(HttpContext context, string[] parts)
    {
        var aggregated = context.Request.Headers.Accept.ToString()
            .Contains("g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList", StringComparison.Ordinal);
        const string Aggregated = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";
        return parts switch
        {
            [] => ("application/json", JsonText.Bytes(Paths())),
            ["api"] when aggregated => (Aggregated, JsonText.Bytes(_groups.AggregatedCore())),
            ["apis"] when aggregated => (Aggregated, JsonText.Bytes(_groups.AggregatedGroups())),
            ["api"] => ("application/json", JsonText.Bytes(GroupList.CoreVersions())),
            ["apis"] => ("application/json", JsonText.Bytes(_groups.Groups())),
            ["api", var version] when _groups.Resources("", version) is { } list => ("application/json", JsonText.Bytes(list)),
            ["apis", var group] when _groups.Group(group) is { } found => ("application/json", JsonText.Bytes(found)),
            ["apis", var group, var version] when _groups.Resources(group, version) is { } list =>
                ("application/json", JsonText.Bytes(list)),
            ["openapi", "v2"] => openApi.Version2(context),
            ["openapi", "v3"] => ("application/json", JsonText.Bytes(openApi.Index())),
            ["openapi", "v3", .. var rest] when openApi.Find(string.Join('/', rest)) is { } bytes =>
                ("application/json", bytes),
            _ => null,
        };
    }

    private JsonObject Version()
    {
        var git = services.Options.GitVersion;
        var numbers = git.TrimStart('v').Split('.');
        return new JsonObject
        {
            ["major"] = numbers[0],
            ["minor"] = numbers.Length > 1 ? numbers[1] : "",
            ["gitVersion"] = git,
            ["gitCommit"] = "",
            ["gitTreeState"] = "clean",
            ["buildDate"] = "1970-01-01T00:00:00Z",
            ["goVersion"] = "",
            ["compiler"] = "dotnet",
            ["platform"] = "linux/" + (System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture
                == System.Runtime.InteropServices.Architecture.Arm64 ? "arm64" : "amd64"),
        };
    }

    private JsonObject Paths()
    {
        var paths = new JsonArray("/api", "/api/v1", "/apis");
        foreach (var name in _groups.Names)
        {
            paths.Add("/apis/" + name);
        }

        foreach (var path in new[] { "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version" })
        {
            paths.Add(path);
        }

        return new JsonObject { ["paths"] = paths };
    }
}
