// SPDX-License-Identifier: Apache-2.0

using System.Text;
using System.Text.Json.Nodes;

namespace Weft.ApiServer.Http;

/// <summary>Objects in the forms that clients send: JSON, Kubernetes' binary form, and YAML where the composition can read it.</summary>
internal static class BodyReader
{
    private const string Json = "application/json";
    private const string Yaml = "application/yaml";
    private const string Binary = "application/vnd.kubernetes.protobuf";

    /// <summary>The object of a create or update; refuses a form that nobody here reads.</summary>
    public static JsonObject ReadObject(ApiRequest request, byte[] body, List<string> duplicates, ApiServerOptions options) =>
        MediaType(request) switch
        {
            "" or Json => ReadJson(request, body, duplicates),
            Binary when !request.Resource.Custom => RequestBody.ParseObject(body, duplicates),
            Yaml => ReadYaml(body, duplicates, options),
            _ => throw Unsupported(request),
        };

    /// <summary>YAML, of which JSON is a part that every client of ours sends.</summary>
    public static JsonObject ReadYaml(byte[] body, List<string> duplicates, ApiServerOptions options)
    {
        if (options.ReadYaml is not { } read || StartsAsJson(body))
        {
            return RequestBody.ParseObject(body, duplicates);
        }

        var (tree, problem) = read(Encoding.UTF8.GetString(body));
        return problem is null
            ? tree as JsonObject ?? throw ApiException.BadRequest("couldn't get version/kind; the body is not a YAML mapping")
            : throw ApiException.BadRequest("error converting YAML to JSON: " + problem);
    }

    private static JsonObject ReadJson(ApiRequest request, byte[] body, List<string> duplicates)
    {
        try
        {
            return RequestBody.ParseObject(body, duplicates);
        }
        catch (ApiException problem) when (problem.Code == 400)
        {
            var kind = request.Resource.Kind;
            throw ApiException.BadRequest(
                $"the object provided is unrecognized (must be of type {kind}): couldn't get version/kind; json parse error: {problem.Message} ({Shown(body)})");
        }
    }

    /// <summary>The beginning of a body, as far as it is text.</summary>
    private static string Shown(byte[] body)
    {
        const int Long = 30;
        return body.Length == 0 ? "<empty>"
            : body[0] != (byte)'{' ? Convert.ToHexStringLower(body.AsSpan(0, Math.Min(body.Length, Long)))
            : body.Length > Long ? Encoding.UTF8.GetString(body, 0, Long) + " ..."
            : Encoding.UTF8.GetString(body);
    }

    public static string MediaType(ApiRequest request) => (request.Context.Request.ContentType ?? "").Split(';')[0].Trim();

    private static bool StartsAsJson(byte[] body)
    {
        var start = body.AsSpan().TrimStart(" \t\r\n"u8);
        return start.Length > 0 && start[0] == (byte)'{';
    }

    private static ApiException Unsupported(ApiRequest request) => new(
        415,
        "UnsupportedMediaType",
        "the body of the request was in an unknown format - accepted media types include: "
            + (request.Resource.Custom ? $"{Json}, {Yaml}" : $"{Json}, {Yaml}, {Binary}"));
}
