// SPDX-License-Identifier: Apache-2.0

using System.Net;
using System.Text.Json.Nodes;

namespace Weft.Kubernetes;

/// <summary>The API refused a request, or answered something that is not its protocol.</summary>
public sealed class KubernetesException : Exception
{
    public KubernetesException()
    {
    }

    public KubernetesException(string message)
        : base(message)
    {
    }

    public KubernetesException(string message, Exception innerException)
        : base(message, innerException)
    {
    }

    public KubernetesException(HttpStatusCode statusCode, string reason, string message, JsonObject? status = null)
        : base(message)
    {
        StatusCode = statusCode;
        Reason = reason;
        Status = status;
    }

    /// <summary>The HTTP status; zero if the answer could not be understood.</summary>
    public HttpStatusCode StatusCode { get; init; }

    /// <summary>The API's machine-readable word, e.g. <c>NotFound</c>, <c>AlreadyExists</c>, <c>Conflict</c>.</summary>
    public string Reason { get; init; } = "";

    /// <summary>The whole <c>Status</c> object, if there was one.</summary>
    public JsonObject? Status { get; }

    public bool IsNotFound => StatusCode == HttpStatusCode.NotFound;

    public bool IsConflict => StatusCode == HttpStatusCode.Conflict && Reason != "AlreadyExists";

    public bool IsAlreadyExists => Reason == "AlreadyExists";

    /// <summary>The resource version asked for is too old: list again.</summary>
    public bool IsGone => StatusCode == HttpStatusCode.Gone || Reason is "Expired" or "Gone";
}
