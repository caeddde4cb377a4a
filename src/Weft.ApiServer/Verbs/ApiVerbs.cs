// SPDX-License-Identifier: Apache-2.0

using Microsoft.AspNetCore.Http;
using Weft.ApiServer.Custom;
using Weft.ApiServer.Http;
using Weft.ApiServer.Nodes;
using Weft.ApiServer.Resources;

namespace Weft.ApiServer.Verbs;

/// <summary>Chooses what to do with a request by its method, its name and its subresource.</summary>
internal sealed class ApiVerbs(
    Reading reading, Watching watching, Changing changing, Scaling scaling, Reviewing reviewing, NodeProxy node)
{
    public Task RunAsync(ApiRequest request)
    {
        var method = request.Context.Request.Method;
        if (CustomObjects.VersionOf(request.Resource, request.Version)?.Deprecation is { } deprecation)
        {
            Answer.Warn(request.Context, [deprecation]);
        }

        if (request.PathWatches && !HttpMethods.IsGet(method))
        {
            throw ApiException.MethodNotAllowed();
        }

        if (Reviews.All.Contains(request.Resource))
        {
            return HttpMethods.IsPost(method) && request.Name is null
                ? reviewing.ReviewAsync(request)
                : throw ApiException.MethodNotAllowed();
        }

        if (Metrics.All.Contains(request.Resource))
        {
            return node.MeasureAsync(request);
        }

        if (request.Resource.Namespaced && request.Namespace.Length == 0 && request.Name is not null)
        {
            throw ApiException.NoSuchPath();
        }

        return request.Name is null ? RunOnManyAsync(request, method)
            : request.Subresource is null ? RunOnOneAsync(request, method)
            : RunOnSubresourceAsync(request, method);
    }

    private Task RunOnManyAsync(ApiRequest request, string method)
    {
        if (HttpMethods.IsPost(method) && request.Resource.Namespaced && request.Namespace.Length == 0)
        {
            throw ApiException.MethodNotAllowed();
        }

        return method switch
        {
            _ when HttpMethods.IsGet(method) && request.IsWatch => watching.WatchAsync(request),
            _ when HttpMethods.IsGet(method) || HttpMethods.IsHead(method) => reading.ListAsync(request),
            _ when HttpMethods.IsPost(method) => changing.CreateAsync(request),
            _ when HttpMethods.IsDelete(method) => changing.DeleteManyAsync(request),
            _ => throw ApiException.MethodNotAllowed(),
        };
    }

    private Task RunOnOneAsync(ApiRequest request, string method) => method switch
    {
        _ when HttpMethods.IsGet(method) && request.IsWatch => watching.WatchAsync(request),
        _ when HttpMethods.IsGet(method) || HttpMethods.IsHead(method) => reading.GetAsync(request),
        _ when HttpMethods.IsPut(method) => changing.UpdateAsync(request),
        _ when HttpMethods.IsPatch(method) => changing.PatchAsync(request),
        _ when HttpMethods.IsDelete(method) => changing.DeleteAsync(request),
        _ => throw ApiException.MethodNotAllowed(),
    };

    private Task RunOnSubresourceAsync(ApiRequest request, string method)
    {
        var name = request.Resource.GroupResource;
        switch (request.Subresource)
        {
            case "status" when request.Resource.HasStatus:
                return method switch
                {
                    _ when HttpMethods.IsGet(method) => reading.GetAsync(request),
                    _ when HttpMethods.IsPut(method) => changing.UpdateAsync(request),
                    _ when HttpMethods.IsPatch(method) => changing.PatchAsync(request),
                    _ => throw ApiException.MethodNotAllowed(),
                };
            case "approval" when name is SigningRequests.Resource:
                return method switch
                {
                    _ when HttpMethods.IsGet(method) => reading.GetAsync(request),
                    _ when HttpMethods.IsPut(method) => changing.UpdateAsync(request),
                    _ when HttpMethods.IsPatch(method) => changing.PatchAsync(request),
                    _ => throw ApiException.MethodNotAllowed(),
                };
            case "scale" when request.Resource.HasScale:
                return scaling.RunAsync(request);
            case "finalize" when name is "namespaces" && HttpMethods.IsPut(method):
                return changing.UpdateAsync(request);
            case "token" when name is "serviceaccounts" && HttpMethods.IsPost(method):
                return reviewing.IssueAsync(request);
            case "binding" when name is "pods" && HttpMethods.IsPost(method):
                return scaling.BindAsync(request);
            case "eviction" when name is "pods" && HttpMethods.IsPost(method):
                return changing.EvictAsync(request);
            case "ephemeralcontainers" when name is "pods":
                return method switch
                {
                    _ when HttpMethods.IsGet(method) => reading.GetAsync(request),
                    _ when HttpMethods.IsPut(method) => changing.UpdateAsync(request),
                    _ when HttpMethods.IsPatch(method) => changing.PatchAsync(request),
                    _ => throw ApiException.MethodNotAllowed(),
                };
            case "log" when name is "pods":
                return node.LogAsync(request);
            case "exec" or "attach" or "portforward" when name is "pods":
                return node.UpgradeAsync(request);
            default:
                throw ApiException.NoSuchPath();
        }
    }
}
