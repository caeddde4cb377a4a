// SPDX-License-Identifier: Apache-2.0

namespace Weft.ApiServer.Resources;

/// <summary>Kinds that are questions: created, answered, never stored.</summary>
internal static class Reviews
{
    public static ResourceDefinition TokenReview { get; } = Review("authentication.k8s.io", "tokenreviews", "TokenReview");

    public static ResourceDefinition SelfSubjectReview { get; } =
        Review("authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview");

    public static ResourceDefinition SelfSubjectAccessReview { get; } =
        Review("authorization.k8s.io", "selfsubjectaccessreviews", "SelfSubjectAccessReview");

    public static ResourceDefinition SubjectAccessReview { get; } =
        Review("authorization.k8s.io", "subjectaccessreviews", "SubjectAccessReview");

    public static ResourceDefinition LocalSubjectAccessReview { get; } =
        Review("authorization.k8s.io", "localsubjectaccessreviews", "LocalSubjectAccessReview") with { Namespaced = true };

    public static ResourceDefinition SelfSubjectRulesReview { get; } =
        Review("authorization.k8s.io", "selfsubjectrulesreviews", "SelfSubjectRulesReview");

    public static IReadOnlyList<ResourceDefinition> All { get; } =
    [
        TokenReview, SelfSubjectReview, LocalSubjectAccessReview, SelfSubjectAccessReview, SelfSubjectRulesReview, SubjectAccessReview,
    ];

    public static ResourceDefinition? Find(string group, string version, string plural) =>
        version is "v1" ? All.FirstOrDefault(item => item.Group == group && item.Plural == plural) : null;

    private static ResourceDefinition Review(string group, string plural, string kind) => new()
    {
        Group = group,
        Versions = ["v1"],
        Plural = plural,
        Singular = kind.ToLowerInvariant(),
        Kind = kind,
        Type = kind,
        Namespaced = false,
    };
}
