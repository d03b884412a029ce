metadata description = 'Who the service is to Entra ID: registrations of the API, the page and automations, without a secret. Run it before the service and again after it: docs/identity.md.'

extension microsoftGraphV1

@description('Name of this installation. Entra knows the registrations by it: the same name changes them, another one makes others.')
@minLength(3)
@maxLength(60)
param name string = 'serial-console'

@description('Origins of the page, for example https://console.contoso.com. They are its redirect addresses: every run replaces the list.')
param pageOrigins string[] = []

@description('Principal id of the function app\'s managed identity, which vouches for the API; empty before the service is there.')
param apiPrincipalId string = ''

@description('Principal id of the relay\'s managed identity; empty before the service is there.')
param relayPrincipalId string = ''

@description('Principal ids of managed identities and service principals that open consoles: Logic Apps, runbooks.')
param automationPrincipalIds string[] = []

@description('Principal ids of people, groups and applications that set the policy of the whole tenant.')
param administratorPrincipalIds string[] = []

@description('Who may sign in as the automation client without a secret, for example a pipeline: name, issuer and subject of its tokens.')
param automationTrusts { name: string, issuer: string, subject: string }[] = []

@description('On where people of other tenants sign in too; those tenants are named in ENTRA_TENANTS.')
param otherTenants bool = false

@description('Consents, for everybody, that the API asks Azure on people\'s behalf. Off where an administrator does that by hand.')
param grantConsent bool = true

@description('Sign-in authority of the cloud, as ENTRA_AUTHORITY has it, without a slash at the end. Entra compares issuers to the byte.')
#disable-next-line no-hardcoded-env-urls // environment() ends it with a slash, and has another one in China
param authority string = 'https://login.microsoftonline.com'

var signInAudience = otherTenants ? 'AzureADMultipleOrgs' : 'AzureADMyOrg'
var audience = 'api://${tenant().tenantId}/${name}'

// Kept by every later version: an id that changes takes the role away from everybody who has it.
var accessScopeId = guid(name, 'Console.Access')
var relayRoleId = guid(name, 'Relay.Attach')
var automationRoleId = guid(name, 'Console.Automation')
var administratorRoleId = guid(name, 'Console.Administrator')

// Whose token vouches for an application, by cloud: the same as in shared/base/clouds.py.
var federationAudiences = {
  AzureCloud: 'api://AzureADTokenExchange'
  AzureUSGovernment: 'api://AzureADTokenExchangeUSGov'
  AzureChinaCloud: 'api://AzureADTokenExchangeChina'
}
var federationAudience = federationAudiences[environment().name]

// Azure Service Management, which is Azure Resource Manager to Entra: the same ids in every tenant.
var azureAppId = '797f4846-ba00-4fd7-ba43-dac1f8f63013'
var azureScope = 'user_impersonation'
var azureScopeId = '41094075-9dad-400e-a0bd-54e686782033'

resource page 'Microsoft.Graph/applications@v1.0' = {
  uniqueName: '${name}-page'
  displayName: 'Serial console'
  signInAudience: signInAudience
  spa: {
    redirectUris: [for origin in pageOrigins: '${origin}/']
  }
}

resource pagePrincipal 'Microsoft.Graph/servicePrincipals@v1.0' = {
  appId: page.appId
}

resource api 'Microsoft.Graph/applications@v1.0' = {
  uniqueName: '${name}-api'
  displayName: 'Serial console API'
  signInAudience: signInAudience
  identifierUris: [audience]
  groupMembershipClaims: 'None'
  api: {
    requestedAccessTokenVersion: 2
    // Consenting to the page in another tenant consents to what the API needs there, in one step.
    knownClientApplications: [page.appId]
    oauth2PermissionScopes: [
      {
        id: accessScopeId
        value: 'Console.Access'
        type: 'User'
        isEnabled: true
        adminConsentDisplayName: 'Use serial consoles'
        adminConsentDescription: 'Lets the app open serial consoles as the person who is signed in, as far as that person\'s own Azure roles go.'
        userConsentDisplayName: 'Use serial consoles as you'
        userConsentDescription: 'Lets the app open serial consoles as you, as far as your own Azure roles go.'
      }
    ]
    preAuthorizedApplications: [
      {
        appId: page.appId
        delegatedPermissionIds: [accessScopeId]
      }
    ]
  }
  appRoles: [
    {
      id: relayRoleId
      value: 'Relay.Attach'
      displayName: 'Relay'
      description: 'Attaches sessions that were opened. For relays alone.'
      allowedMemberTypes: ['Application']
      isEnabled: true
    }
    {
      id: automationRoleId
      value: 'Console.Automation'
      displayName: 'Automation'
      description: 'Opens consoles without a person, as far as the application\'s own Azure roles go.'
      allowedMemberTypes: ['Application']
      isEnabled: true
    }
    {
      id: administratorRoleId
      value: 'Console.Administrator'
      displayName: 'Administrator'
      description: 'Sets the policy of the whole tenant, and can always mend it.'
      allowedMemberTypes: ['User', 'Application']
      isEnabled: true
    }
  ]
  optionalClaims: {
    accessToken: [
      { name: 'acrs', essential: false }
      { name: 'xms_cc', essential: false }
      { name: 'idtyp', essential: false }
    ]
  }
  requiredResourceAccess: [
    {
      resourceAppId: azureAppId
      resourceAccess: [{ id: azureScopeId, type: 'Scope' }]
    }
  ]
}

resource apiPrincipal 'Microsoft.Graph/servicePrincipals@v1.0' = {
  appId: api.appId
}

resource apiTrust 'Microsoft.Graph/applications/federatedIdentityCredentials@v1.0' = if (!empty(apiPrincipalId)) {
  name: '${api.uniqueName}/function-app'
  description: 'The function app\'s managed identity vouches for the API.'
  issuer: '${authority}/${tenant().tenantId}/v2.0'
  subject: apiPrincipalId
  audiences: [federationAudience]
}

resource azure 'Microsoft.Graph/servicePrincipals@v1.0' existing = {
  appId: azureAppId
}

resource azureConsent 'Microsoft.Graph/oauth2PermissionGrants@v1.0' = if (grantConsent) {
  clientId: apiPrincipal.id
  resourceId: azure.id
  consentType: 'AllPrincipals'
  scope: azureScope
}

resource automation 'Microsoft.Graph/applications@v1.0' = {
  uniqueName: '${name}-automation'
  displayName: 'Serial console automation'
  signInAudience: 'AzureADMyOrg'
}

resource automationPrincipal 'Microsoft.Graph/servicePrincipals@v1.0' = {
  appId: automation.appId
}

resource automationTrust 'Microsoft.Graph/applications/federatedIdentityCredentials@v1.0' = [
  for trust in automationTrusts: {
    name: '${automation.uniqueName}/${trust.name}'
    description: 'Signs in as the automation client without a secret.'
    issuer: trust.issuer
    subject: trust.subject
    audiences: [federationAudience]
  }
]

resource relayRole 'Microsoft.Graph/appRoleAssignedTo@v1.0' = if (!empty(relayPrincipalId)) {
  appRoleId: relayRoleId
  principalId: relayPrincipalId
  resourceId: apiPrincipal.id
}

resource automationClientRole 'Microsoft.Graph/appRoleAssignedTo@v1.0' = {
  appRoleId: automationRoleId
  principalId: automationPrincipal.id
  resourceId: apiPrincipal.id
}

resource automationRole 'Microsoft.Graph/appRoleAssignedTo@v1.0' = [
  for principal in automationPrincipalIds: {
    appRoleId: automationRoleId
    principalId: principal
    resourceId: apiPrincipal.id
  }
]

resource administratorRole 'Microsoft.Graph/appRoleAssignedTo@v1.0' = [
  for principal in administratorPrincipalIds: {
    appRoleId: administratorRoleId
    principalId: principal
    resourceId: apiPrincipal.id
  }
]

@description('API_CLIENT_ID of the function app.')
output apiClientId string = api.appId

@description('API_AUDIENCE of the function app and the relays.')
output apiAudience string = audience

@description('PAGE_CLIENT_ID of the function app.')
output pageClientId string = page.appId

@description('First of ENTRA_TENANTS of the function app.')
output tenantId string = tenant().tenantId

@description('Client id that pipelines of automationTrusts sign in with.')
output automationClientId string = automation.appId
