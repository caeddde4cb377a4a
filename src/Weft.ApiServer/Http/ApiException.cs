// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.ApiServer.Resources;

namespace Weft.ApiServer.Http;

/// <summary>A refusal that the client sees as a Kubernetes Status object.</summary>
public sealed class ApiException(int code, string reason, string message, JsonObject? details = null) : Exception(message)
{
    public int Code { get; } = code;

    public string Reason { get; } = reason;

    public JsonObject? Details { get; } = details;

    /// <summary>Metadata of the Status.</summary>
    public JsonObject? Metadata { get; init; }

    /// <summary>When it may be worth to ask again; 0 when no time would help.</summary>
    public int RetryAfterSeconds { get; init; }

    public JsonObject ToStatus()
    {
        var shown = Details?.DeepClone().AsObject();
        if (RetryAfterSeconds > 0)
        {
            (shown ??= [])["retryAfterSeconds"] = RetryAfterSeconds;
        }

        var status = Status("Failure", Message, Reason, shown, Code);
        if (Metadata is not null)
        {
            status["metadata"] = Metadata.DeepClone();
        }

        return status;
    }

    public static JsonObject Success(JsonObject details) => Status("Success", null, null, details, null);

    public static ApiException NotFound(ResourceDefinition resource, string name) =>
        new(404, "NotFound", $"{resource.GroupResource} \"{name}\" not found", DetailsOf(resource, name));

    public static ApiException NoSuchPath() =>
        new(404, "NotFound", "the server could not find the requested resource", new JsonObject());

    public static ApiException AlreadyExists(ResourceDefinition resource, string name) =>
        new(409, "AlreadyExists", $"{resource.GroupResource} \"{name}\" already exists", DetailsOf(resource, name));

    public static ApiException Conflict(ResourceDefinition resource, string name, string? why = null) =>
        new(
            409,
            "Conflict",
            $"Operation cannot be fulfilled on {resource.GroupResource} \"{name}\": " +
            (why ?? "the object has been modified; please apply your changes to the latest version and try again"),
            DetailsOf(resource, name));

    public static ApiException BadRequest(string message) => new(400, "BadRequest", message);

    public static ApiException Forbidden(ResourceDefinition resource, string name, string why) =>
        new(403, "Forbidden", $"{resource.GroupResource} \"{name}\" is forbidden: {why}", DetailsOf(resource, name));

    public static ApiException MethodNotAllowed() =>
        new(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", new JsonObject());

    public static ApiException Expired(string message) => new(410, "Expired", message);

    /// <summary>A list in chunks whose moment is forgotten; the token goes on with what is there now.</summary>
    public static ApiException ExpiredToken(string token) => new(
        410,
        "Expired",
        "The provided continue parameter is too old to display a consistent list result. You can start a new list without the " +
        "continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the " +
        "provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first " +
        "chunk was returned and now may show up in the list.")
    {
        Metadata = new JsonObject { ["continue"] = token },
    };

    public static ApiException TooLargeVersion(long wanted, long current) => new(
        504,
        "Timeout",
        $"Timeout: Too large resource version: {wanted}, current: {current}",
        new JsonObject
        {
            ["causes"] = new JsonArray(new JsonObject
            {
                ["reason"] = "ResourceVersionTooLarge",
                ["message"] = "Too large resource version",
            }),
        })
    {
        RetryAfterSeconds = 1,
    };

    public static ApiException TooMany() =>
        new(429, "TooManyRequests", "Too many requests, please try again later.") { RetryAfterSeconds = 1 };

    public static ApiException TooLarge() =>
        new(413, "RequestEntityTooLarge", $"Request entity too large: limit is {ApiLimits.BodyBytes}");

    public static ApiException Unprocessable(string message) => new(422, "Invalid", message, new JsonObject());

    public static ApiException Unavailable(string message) => new(503, "ServiceUnavailable", message) { RetryAfterSeconds = 1 };

    public static ApiException Timeout(string message) => new(504, "Timeout", message) { RetryAfterSeconds = 1 };

    public static ApiException NoSpace(string message) => new(507, "InsufficientStorage", message) { RetryAfterSeconds = 5 };

    /// <summary>A refused object with every field that is wrong.</summary>
    public static ApiException Invalid(ResourceDefinition resource, string name, IReadOnlyList<FieldError> errors)
    {
        var causes = new JsonArray();
        foreach (var error in errors)
        {
            causes.Add(new JsonObject
            {
                ["reason"] = error.Reason,
                ["message"] = error.Detail,
                ["field"] = error.Field,
            });
        }

        var text = errors.Count == 1
            ? errors[0].ToString()
            : "[" + string.Join(", ", errors.Select(error => error.ToString())) + "]";
        var kind = resource.Group.Length == 0 ? resource.Kind : resource.Kind + "." + resource.Group;
        var details = new JsonObject();
        if (name.Length > 0)
        {
            details["name"] = name;
        }

        if (resource.Group.Length > 0)
        {
            details["group"] = resource.Group;
        }

        details["kind"] = resource.Kind;
        details["causes"] = causes;
        return new ApiException(422, "Invalid", $"{kind} \"{name}\" is invalid: {text}", details);
    }

    /// <summary>A refused patch, as the server words it when the patch itself cannot become an object.</summary>
    public static ApiException InvalidPatch(string value, string why)
    {
        var error = FieldError.Invalid("patch", value, why);
        return new ApiException(422, "Invalid", $" \"\" is invalid: {error}", new JsonObject
        {
            ["causes"] = new JsonArray(new JsonObject
            {
                ["reason"] = error.Reason,
                ["message"] = error.Detail,
                ["field"] = error.Field,
            }),
        });
    }

    private static JsonObject Status(string status, string? message, string? reason, JsonObject? details, int? code)
    {
        var result = new JsonObject
        {
            ["kind"] = "Status",
            ["apiVersion"] = "v1",
            ["metadata"] = new JsonObject(),
            ["status"] = status,
        };
        if (message is not null)
        {
            result["message"] = message;
        }

        if (reason is not null)
        {
            result["reason"] = reason;
        }

        if (details is not null)
        {
            result["details"] = details.DeepClone();
        }

        if (code is not null)
        {
            result["code"] = code.Value;
        }

        return result;
    }

    private static JsonObject DetailsOf(ResourceDefinition resource, string name)
    {
        var details = new JsonObject { ["name"] = name };
        if (resource.Group.Length > 0)
        {
            details["group"] = resource.Group;
        }

        details["kind"] = resource.Plural;
        return details;
    }
}
