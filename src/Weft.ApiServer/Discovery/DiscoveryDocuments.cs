// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Http;
using Weft.ApiServer.Http;
using Weft.ApiServer.Security;
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
        if (parts is ["healthz" or "livez" or "readyz", ..])
        {
            await HealthAsync(context, parts[0]);
            return true;
        }

        if (parts is ["version"])
        {
            await Answer.BytesAsync(context, 200, "application/json", Encoding.UTF8.GetBytes(Version().ToJsonString(_indented)));
            return true;
        }

        if (parts is [".well-known", "openid-configuration"] or ["openid", "v1", "jwks"])
        {
            var keys = parts[0] is "openid";
            var body = keys ? IssuerDocuments.Keys(services.Tokens) : IssuerDocuments.Configuration(services.Options.ExternalUrl);
            await Answer.BytesAsync(context, 200, keys ? "application/jwk-set+json" : "application/json", JsonText.Bytes(body));
            return true;
        }

        if (parts is ["openapi", "v3", _, ..])
        {
            return await TryVersion3Async(context, string.Join('/', parts[2..]));
        }

        if (parts.Length > 0 && parts[0] is not ("api" or "apis" or "openapi"))
        {
            return false;
        }

        if (Document(context, parts) is { } document)
        {
            await Tag.AnswerAsync(context, document.Type, document.Bytes);
            return true;
        }

        return false;
    }

    private Task HealthAsync(HttpContext context, string check)
    {
        if (check is "readyz" && services.Store.Trouble is { } trouble)
        {
            return Answer.TextAsync(context, 500, $"[+]ping ok\n[-]store failed: {trouble}\nreadyz check failed\n");
        }

        return Answer.TextAsync(context, 200, context.Request.Query.ContainsKey("verbose") ? $"[+]ping ok\n[+]store ok\n{check} check passed\n" : "ok");
    }

    /// <summary>One document of OpenAPI v3: with the hash that the index names it never changes; another hash leads to the right one.</summary>
    private async Task<bool> TryVersion3Async(HttpContext context, string path)
    {
        if (openApi.Find(path) is not { } found)
        {
            return false;
        }

        var wanted = context.Request.Query["hash"].ToString();
        if (wanted.Length > 0 && wanted != found.Hash)
        {
            context.Response.Headers.Location = OpenApiDocuments.AddressOf(path, found.Hash);
            context.Response.StatusCode = StatusCodes.Status301MovedPermanently;
            return true;
        }

        await Tag.AnswerAsync(context, "application/json", found.Bytes, found.Hash);
        return true;
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

        foreach (var path in new[] { "/.well-known/openid-configuration", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", IssuerDocuments.KeysPath, "/readyz", "/version" })
        {
            paths.Add(path);
        }

        return new JsonObject { ["paths"] = paths };
    }
}
