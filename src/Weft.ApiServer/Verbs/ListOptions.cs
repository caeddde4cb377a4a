// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Weft.ApiServer.Http;
using Weft.ApiServer.Resources;
using Weft.ApiServer.Selectors;
using Weft.ApiServer.Storage;

namespace Weft.ApiServer.Verbs;

/// <summary>What a list or a watch asks for, read from its query and checked as Kubernetes does.</summary>
internal sealed record ListOptions
{
    private const string Exact = "Exact";
    private const string NotOlderThan = "NotOlderThan";

    /// <summary>In a token: continue with what is there now, not with the list's own moment.</summary>
    private const long AnyMoment = -1;

    private static readonly ResourceDefinition _kind = new()
    {
        Group = "meta.k8s.io",
        Versions = ["v1"],
        Plural = "listoptions",
        Singular = "listoptions",
        Kind = "ListOptions",
        Type = "",
    };

    public required LabelSelector Labels { get; init; }

    public required FieldSelector Fields { get; init; }

    /// <summary>0 when the client named none, or any will do.</summary>
    public long Version { get; init; }

    /// <summary>The list shall show <see cref="Version"/> itself, nothing newer.</summary>
    public bool IsExact { get; init; }

    public int Limit { get; init; }

    /// <summary>Where a list in chunks goes on.</summary>
    public ListToken? Continue { get; init; }

    /// <summary>Null when the client did not say.</summary>
    public bool? SendInitialEvents { get; init; }

    public bool Bookmarks { get; init; }

    public TimeSpan? TimeLimit { get; init; }

    public static ListOptions Read(ApiRequest request, bool watch)
    {
        var version = request.Query("resourceVersion") ?? "";
        var match = request.Query("resourceVersionMatch") ?? "";
        var token = request.Query("continue") ?? "";
        bool? initial = request.Query("sendInitialEvents") is { Length: > 0 } ? request.QueryFlag("sendInitialEvents") : null;
        var errors = watch ? CheckWatch(match, token, initial) : CheckList(version, match, token, initial);
        if (errors.Count > 0)
        {
            throw ApiException.Invalid(_kind, "", errors);
        }

        if (token.Length > 0 && version is not ("" or "0"))
        {
            throw ApiException.BadRequest("specifying resource version is not allowed when using continue");
        }

        var limit = (int)Math.Clamp(Number(request, "limit"), 0, int.MaxValue);
        var seconds = Number(request, "timeoutSeconds");
        var number = ParseVersion(request.Resource, version);
        return new ListOptions
        {
            Labels = LabelSelector.Parse(request.Query("labelSelector")),
            Fields = FieldSelector.Parse(request.Query("fieldSelector"), request.Resource),
            Version = number,
            IsExact = match is Exact || (match.Length == 0 && limit > 0 && number > 0),
            Limit = limit,
            Continue = token.Length == 0 ? null : ListToken.Parse(token, request.Namespace),
            SendInitialEvents = initial,
            Bookmarks = request.Query("allowWatchBookmarks") is not null && request.QueryFlag("allowWatchBookmarks"),
            TimeLimit = seconds > 0 ? TimeSpan.FromSeconds(Math.Min(seconds, 24 * 3600)) : null,
        };
    }

    private static List<FieldError> CheckList(string version, string match, string token, bool? initial)
    {
        const string Field = "resourceVersionMatch";
        var errors = new List<FieldError>();
        if (match.Length > 0 && version.Length == 0)
        {
            errors.Add(FieldError.Forbidden(Field, "resourceVersionMatch is forbidden unless resourceVersion is provided"));
        }

        if (match.Length > 0 && token.Length > 0)
        {
            errors.Add(FieldError.Forbidden(Field, "resourceVersionMatch is forbidden when continue is provided"));
        }

        if (match is not ("" or Exact or NotOlderThan))
        {
            errors.Add(FieldError.NotSupported(Field, match, Exact, NotOlderThan, ""));
        }

        if (match is Exact && version is "0")
        {
            errors.Add(FieldError.Forbidden(Field, "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\""));
        }

        if (initial is not null)
        {
            errors.Add(FieldError.Forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list"));
        }

        return errors;
    }

    private static List<FieldError> CheckWatch(string match, string token, bool? initial)
    {
        const string Field = "resourceVersionMatch";
        var errors = new List<FieldError>();
        if (initial is not null && match is not NotOlderThan)
        {
            errors.Add(FieldError.Forbidden(Field, "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"));
        }

        if (match.Length > 0 && initial is null)
        {
            errors.Add(FieldError.Forbidden(Field, "resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided"));
        }

        if (match is not ("" or NotOlderThan))
        {
            errors.Add(FieldError.NotSupported(Field, match, NotOlderThan));
        }

        if (match.Length > 0 && token.Length > 0)
        {
            errors.Add(FieldError.Forbidden(Field, "resourceVersionMatch is forbidden when continue is provided"));
        }

        return errors;
    }

    private static long ParseVersion(ResourceDefinition resource, string text)
    {
        if (text.Length == 0)
        {
            return 0;
        }

        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var version)
            ? version
            : throw ApiException.Invalid(resource with { Kind = resource.Plural }, "", [FieldError.Invalid("resourceVersion", text, $"strconv.ParseUint: parsing \"{text}\": invalid syntax")]);
    }

    private static long Number(ApiRequest request, string name)
    {
        if (request.Query(name) is not { Length: > 0 } text)
        {
            return 0;
        }

        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw ApiException.BadRequest($"strconv.ParseInt: parsing \"{text}\": invalid syntax");
    }

    /// <summary>Where the next chunk of a list begins, in the form of Kubernetes' own tokens.</summary>
    /// <param name="Version">The moment that the list shows; below zero for any.</param>
    internal sealed record ListToken(long Version, ObjectKey After)
    {
        private const string Form = "meta.k8s.io/v1";

        public bool IsAnyMoment => Version == AnyMoment;

        public ListToken AtAnyMoment() => this with { Version = AnyMoment };

        public string ToText(string ns)
        {
            var start = ns.Length > 0 || After.Namespace.Length == 0 ? After.Name : After.ToString();
            var token = new JsonObject { ["v"] = Form, ["rv"] = Version, ["start"] = start + "\0" };
            return Convert.ToBase64String(JsonText.Bytes(token)).Replace('+', '-').Replace('/', '_').TrimEnd('=');
        }

        public static ListToken Parse(string text, string ns)
        {
            try
            {
                var padded = text.Replace('-', '+').Replace('_', '/').PadRight((text.Length + 3) / 4 * 4, '=');
                var tree = JsonText.ParseTrusted(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(Convert.FromBase64String(padded))));
                var start = tree.Text("start")?.TrimEnd('\0') ?? "";
                if (tree.Text("v") is not Form || start.Length == 0 || tree.Number("rv") is not { } version)
                {
                    throw new FormatException("incorrect encoded start resourceVersion or start key");
                }

                var parts = start.Split('/', 2);
                return new ListToken(version, parts.Length == 2 ? new ObjectKey(parts[0], parts[1]) : new ObjectKey(ns, start));
            }
            catch (Exception problem) when (problem is FormatException or JsonException or InvalidOperationException)
            {
                throw ApiException.BadRequest($"invalid continue token: continue key is not valid: {problem.Message}");
            }
        }
    }
}
