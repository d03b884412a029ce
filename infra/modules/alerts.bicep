metadata description = 'What wakes somebody, and a workbook that shows what they look at first (docs/operations.md).'

@description('Short name of the installation.')
param name string

@description('Region.')
param location string

@description('Tags.')
param tags object

@description('Email addresses that alerts go to.')
param emails array

@description('Workspace that is asked.')
param workspaceId string

@description('Application Insights.')
param insightsId string

@description('The hub\'s namespace.')
param hubId string

@description('The key vault.')
param vaultId string

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-${name}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: name
    enabled: true
    emailReceivers: [for email in emails: {
      name: email
      emailAddress: email
      useCommonAlertSchema: true
    }]
  }
}

// Each asks the workspace every five minutes; a row more than none is an alert.
var questions = [
  {
    name: 'relay-away'
    severity: 1
    description: 'A relay has not been heard of: its consoles cannot be opened.'
    query: 'AppTraces | extend said = parse_json(Message) | where tostring(said.outcome) == "RelayUnavailable"'
  }
  {
    name: 'audit-unavailable'
    severity: 0
    description: 'Consoles close because nothing can be recorded.'
    query: 'union isfuzzy=true (ContainerAppConsoleLogs | extend said = parse_json(Log)), (AppTraces | extend said = parse_json(Message)) | where tostring(said.event) == "record-failed" or tostring(said.outcome) == "AuditUnavailable"'
  }
  {
    name: 'spool-full'
    severity: 1
    description: 'A relay cannot send its records: VMs wait.'
    query: 'ContainerAppConsoleLogs | extend said = parse_json(Log) | where tostring(said.event) == "spool-full"'
  }
  {
    name: 'spool-behind'
    severity: 2
    description: 'Records have waited on a relay\'s disk for more than a minute: until the hub has them they are there alone.'
    query: 'ContainerAppConsoleLogs | extend said = parse_json(Log) | where tostring(said.event) == "spool-behind"'
  }
  {
    name: 'recording-interrupted'
    severity: 2
    description: 'A relay gave no sign of life while it recorded: what it had not sent stands on its disk alone.'
    query: 'AppTraces | where Message startswith "recording interrupted:"'
  }
  {
    name: 'dead-letters'
    severity: 1
    description: 'Records were set aside: they cannot be read or placed.'
    query: 'AppTraces | where Message has "were set aside in dead-letter/"'
  }
  {
    name: 'archive-refused'
    severity: 0
    description: 'A legal hold or a policy of the storage forbids to append: records wait in the hub, for as long as it keeps them.'
    query: 'union isfuzzy=true (AppTraces | project said = Message), (AppExceptions | project said = strcat(OuterMessage, InnermostMessage)) | where said has_any ("BlobImmutableDueToPolicy", "BlobImmutableDueToLegalHold")'
  }
  {
    name: 'heartbeats-unanswered'
    severity: 2
    description: 'A relay gets no answer from the function app.'
    query: 'ContainerAppConsoleLogs | extend said = parse_json(Log) | where tostring(said.event) == "heartbeat-unanswered" and toint(said.failures) > 3'
  }
  {
    name: 'faults'
    severity: 2
    description: 'The service answers that it is at fault.'
    query: 'AppTraces | extend said = parse_json(Message) | where toint(said.status) >= 500 | summarize faults = count() by bin(TimeGenerated, 5m) | where faults > 5'
  }
]

resource rules 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for question in questions: {
  name: 'alert-${name}-${question.name}'
  location: location
  tags: tags
  properties: {
    displayName: 'Serial console: ${question.name}'
    description: question.description
    severity: question.severity
    enabled: true
    scopes: [workspaceId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT10M'
    criteria: {
      allOf: [
        {
          query: question.query
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
        }
      ]
    }
    autoMitigate: true
    skipQueryValidation: true
    actions: {
      actionGroups: [people.id]
    }
  }
}]

resource lag 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'alert-${name}-archive-lag'
  location: 'global'
  tags: tags
  properties: {
    description: 'Records come in and nobody takes them out: the archiver stands still.'
    severity: 1
    enabled: true
    scopes: [hubId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.MultipleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'in'
          metricName: 'IncomingMessages'
          operator: 'GreaterThan'
          threshold: 0
          timeAggregation: 'Total'
        }
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'out'
          metricName: 'OutgoingMessages'
          operator: 'LessThanOrEqual'
          threshold: 0
          timeAggregation: 'Total'
        }
      ]
    }
    actions: [
      {
        actionGroupId: people.id
      }
    ]
  }
}

resource refusedKeys 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'alert-${name}-key-vault'
  location: 'global'
  tags: tags
  properties: {
    description: 'The vault refuses or fails: no console can be opened. A key may be near its end.'
    severity: 1
    enabled: true
    scopes: [vaultId]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.MultipleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'refused'
          metricName: 'ServiceApiResult'
          operator: 'GreaterThan'
          threshold: 5
          timeAggregation: 'Count'
          dimensions: [
            {
              name: 'StatusCodeClass'
              operator: 'Include'
              values: ['4xx', '5xx']
            }
          ]
        }
      ]
    }
    actions: [
      {
        actionGroupId: people.id
      }
    ]
  }
}

resource keyEnds 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: 'evgt-${name}-keys'
  location: location
  tags: tags
  properties: {
    source: vaultId
    topicType: 'Microsoft.KeyVault.vaults'
  }

  resource tell 'eventSubscriptions' = {
    name: 'key-near-its-end'
    properties: {
      destination: {
        endpointType: 'MonitorAlert'
        properties: {
          severity: 'Sev2'
          description: 'A signing key is near its end: did its rotation stop?'
          actionGroups: [people.id]
        }
      }
      filter: {
        includedEventTypes: ['Microsoft.KeyVault.KeyNearExpiry', 'Microsoft.KeyVault.KeyExpired']
      }
      eventDeliverySchema: 'CloudEventSchemaV1_0'
    }
  }
}

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, name, 'workbook')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Serial console (${name})'
    category: 'workbook'
    sourceId: insightsId
    serializedData: loadTextContent('../workbook.json')
  }
}
