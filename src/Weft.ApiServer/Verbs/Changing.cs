// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.ApiServer.Admission;
using Weft.ApiServer.Custom;
using Weft.ApiServer.Http;
using Weft.ApiServer.Patching;
using Weft.ApiServer.Storage;

namespace Weft.ApiServer.Verbs;

/// <summary>Create, update, patch and delete as HTTP sees them.</summary>
internal sealed class Changing(ApiServices services, ObjectWriter writer, Deletion deletion, Reading reading, Applying applying)
{
    private const string StrategicType = "application/strategic-merge-patch+json";
    private const string MergeType = "application/merge-patch+json";
    private const string JsonType = "application/json-patch+json";
    private const string ApplyType = "application/apply-patch+yaml";

    public async Task CreateAsync(ApiRequest request)
    {
        var tree = await DecodeAsync(request);
        await reading.ShowAsync(request, 201, writer.Create(request, tree));
    }

    public async Task UpdateAsync(ApiRequest request)
    {
        var tree = await DecodeAsync(request);
        while (true)
        {
            var current = reading.Find(request);
            CheckUid(request, current, tree);
            if (writer.Replace(request, current, (JsonObject)tree.DeepClone()) is { } written)
            {
                await reading.ShowAsync(request, 200, written);
                return;
            }
        }
    }

    public async Task PatchAsync(ApiRequest request)
    {
        var type = BodyReader.MediaType(request);
        var body = await RequestBody.ReadAsync(request.Context);
        if (type is ApplyType)
        {
            await applying.RunAsync(request, body);
            return;
        }

        if (type is not (StrategicType or MergeType or JsonType) || (type is StrategicType && request.Resource.Custom))
        {
            throw Unsupported(request);
        }

        var duplicates = new List<string>();
        var patch = RequestBody.Parse(body, duplicates);
        for (var attempt = 0; attempt < ApiLimits.PatchAttempts; attempt++)
        {
            request.ForgetWarnings();
            var current = reading.Find(request);
            var tree = Patched(request, current, patch, type, duplicates);
            if (writer.Replace(request, current, tree) is { } written)
            {
                await reading.ShowAsync(request, 200, written);
                return;
            }
        }

        throw ApiException.Conflict(request.Resource, request.Name!);
    }

    public async Task DeleteAsync(ApiRequest request)
    {
        var options = await OptionsAsync(request);
        var key = new ObjectKey(request.Namespace, request.Name!);
        if (services.Store.Find(request.Resource.StoredAs, key.Namespace, key.Name) is { } current)
        {
            writer.Webhooks.Validate(request, Webhooks.Delete, current.Parse(), null);
        }

        var (tree, gone) = deletion.Delete(request.Resource, key, options, IsDryRun(request, options));
        if (request.Resource.GroupResource is CustomKinds.Resource)
        {
            services.Kinds.Refresh();
        }
        else if (request.Resource.GroupResource is Defaults.LocalServices.Resource)
        {
            services.Kinds.Register();
        }

        if (!gone || request.Resource.GroupResource is "pods" or "namespaces" or "serviceaccounts")
        {
            await reading.ShowAsync(request, 200, tree);
            return;
        }

        var details = new JsonObject { ["name"] = request.Name };
        if (request.Resource.Group.Length > 0)
        {
            details["group"] = request.Resource.Group;
        }

        details["kind"] = request.Resource.Plural;
        details["uid"] = tree.At("metadata", "uid").Text();
        await Answer.JsonAsync(request.Context, 200, ApiException.Success(details));
    }

    public async Task DeleteManyAsync(ApiRequest request)
    {
        var options = await OptionsAsync(request);
        var labels = Selectors.LabelSelector.Parse(request.Query("labelSelector"));
        var fields = Selectors.FieldSelector.Parse(request.Query("fieldSelector"), request.Resource);
        var items = new JsonArray();
        foreach (var item in services.Store.Snapshot(request.Resource.StoredAs).Objects.Values)
        {
            if (!Reading.Selected(request, item, labels, fields))
            {
                continue;
            }

            writer.Webhooks.Validate(request, Webhooks.Delete, item.Parse(), null);
            try
            {
                items.Add(request.View(deletion.Delete(request.Resource, item.Key, options, IsDryRun(request, options)).Tree));
            }
            catch (ApiException gone) when (gone.Code == 404)
            {
                // Somebody else deleted it between the list and now, which is what was asked for.
            }
        }

        await Answer.JsonAsync(request.Context, 200, new JsonObject
        {
            ["kind"] = request.Resource.ListKind,
            ["apiVersion"] = request.ApiVersion,
            ["metadata"] = new JsonObject { ["resourceVersion"] = $"{services.Store.Version}" },
            ["items"] = items,
        });
    }

    public Task EvictAsync(ApiRequest request) => new Evicting(services, deletion).RunAsync(request);

    private async Task<JsonObject> DecodeAsync(ApiRequest request)
    {
        var duplicates = new List<string>();
        var tree = BodyReader.ReadObject(request, await RequestBody.ReadAsync(request.Context), duplicates, services.Options);
        Decoder.CompleteKind(request, tree);
        Decoder.CheckKind(request, tree);
        Decoder.CheckFields(request, tree, duplicates, services, problem => Decoder.CannotHandle(request, problem));
        return tree;
    }

    /// <summary>A replacement that names another uid is meant for an object that is gone.</summary>
    private static void CheckUid(ApiRequest request, StoredObject current, JsonObject tree)
    {
        if (tree.At("metadata", "uid").Text() is { Length: > 0 } uid && uid != current.Uid)
        {
            throw ApiException.Conflict(
                request.Resource,
                request.Name!,
                $"StorageError: invalid object, Code: 4, Key: /registry/{request.Resource.Plural}/{current.Key}, ResourceVersion: 0, " +
                $"AdditionalErrorMsg: Precondition failed: UID in precondition: {uid}, UID in object meta: {current.Uid}");
        }
    }

    /// <summary>Deletions may say it in the path's query or in their options.</summary>
    internal static bool IsDryRun(ApiRequest request, JsonObject options) =>
        request.IsDryRun || (options["dryRun"] as JsonArray ?? []).Any(item => item.Text() is "All");

    private static async Task<JsonObject> OptionsAsync(ApiRequest request)
    {
        var options = await RequestBody.ReadOptionalAsync(request.Context);
        if (request.Query("gracePeriodSeconds") is { } grace && long.TryParse(grace, CultureInfo.InvariantCulture, out var seconds))
        {
            options["gracePeriodSeconds"] = seconds;
        }

        if (request.Query("propagationPolicy") is { } policy)
        {
            options["propagationPolicy"] = policy;
        }

        return options;
    }

    private JsonObject Patched(ApiRequest request, StoredObject current, JsonNode? patch, string type, List<string> duplicates)
    {
        var before = request.View(current.Parse());
        JsonNode? result;
        try
        {
            result = type switch
            {
                JsonType => JsonPatch.Apply(before, patch as JsonArray ?? throw NotAPatch("list of operations")),
                MergeType => MergePatch.Apply(before, patch as JsonObject ?? throw NotAPatch("object")),
                _ => new StrategicPatch(services.Schemas).Apply(
                    before, patch as JsonObject ?? throw NotAPatch("object"), request.Resource.Type),
            };
        }
        catch (PatchException problem)
        {
            throw type is JsonType
                ? ApiException.Unprocessable("the server rejected our request due to an error in our request")
                : ApiException.BadRequest(problem.Message);
        }

        if (result is not JsonObject tree)
        {
            throw ApiException.Unprocessable("the patched document is not an object");
        }

        Decoder.CheckKind(request, tree);
        var quoted = type is StrategicType ? GoText.Of(patch) : JsonText.String(GoText.Merged(tree, patch));
        Decoder.CheckFields(request, tree, duplicates, services, problem => ApiException.InvalidPatch(quoted, Reword(problem, type)));
        return tree;
    }

    private static string Reword(string problem, string type)
    {
        // A strategic patch is converted value by value, so its errors do not name Go fields.
        const string Start = "json: cannot unmarshal ";
        if (type is not StrategicType || !problem.StartsWith(Start, StringComparison.Ordinal))
        {
            return problem;
        }

        var found = problem[Start.Length..problem.IndexOf(" into ", StringComparison.Ordinal)];
        var wanted = problem[(problem.LastIndexOf(' ') + 1)..];
        return $"cannot convert {(found is "number" ? "int64" : found)} to {wanted}";
    }

    private static ApiException NotAPatch(string wanted) => ApiException.BadRequest($"the patch must be a JSON {wanted}");

    private static ApiException Unsupported(ApiRequest request)
    {
        const string Reason = "UnsupportedMediaType";
        return request.Resource.Custom
            ? new ApiException(
                415, Reason, $"the body of the request was in an unknown format - accepted media types include: {JsonType}, {MergeType}, {ApplyType}")
            : new ApiException(415, Reason, "415: Unsupported Media Type", new JsonObject());
    }
}
